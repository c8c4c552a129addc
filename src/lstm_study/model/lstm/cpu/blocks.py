"""A batch cut into blocks for the sweeps of `sweep.py`, and put together again.

What the functions here take and return are arrays, of single precision. A block has 32 lanes, or 16
where the batch is that small: so a batch of 64 keeps two threads at work, and larger blocks would
gain a hundredth (decision 13). Blocks do not depend on the threads, so no bit of a result does.

In comments and docstrings `batch`, `time`, `features` and `units` are the sizes, and `blocks` and
`lanes` what the batch is cut into. Gates are in Keras's order.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_study.model.lstm.arrays import GATES
from lstm_study.model.lstm.cpu import sweep as kernels
from lstm_study.model.lstm.cpu.matmul import whole_vectors
from lstm_study.model.lstm.cpu.sweep import Gradients, Kept, Read, Room, Sizes
from lstm_study.model.lstm.cpu.threads import empty, for_each, thread_count, zeros

Array = NDArray[Any]

_MOST_LANES = 32
_CANDIDATE = 2


def _address(array: Array | None) -> int:
    return 0 if array is None else array.ctypes.data


class _Batch:
    """What both sweeps make of a batch: its blocks, masks and sizes."""

    def __init__(
        self,
        sequences: Array,
        units: int,
        input_masks: Array,
        state_masks: Array,
        alive: Array,
    ) -> None:
        self.sequences, self.units = sequences, units
        self.batch, self.time, self.features = sequences.shape
        self.lanes = min(_MOST_LANES, whole_vectors(self.batch))
        self.firsts = range(0, self.batch, self.lanes)
        self.stacks = max(len(input_masks), len(state_masks), 1)
        self.input_masks = self._one_per_stack(input_masks)
        self.state_masks = self._one_per_stack(state_masks)
        self.alive = alive if alive.size else None

    def _one_per_stack(self, masks: Array) -> Array | None:
        if not masks.size:
            return None
        return masks if len(masks) == self.stacks else masks.repeat(self.stacks, axis=0)

    def rows(self, first: int) -> slice:
        return slice(first, min(first + self.lanes, self.batch))

    def sizes(self, first: int) -> Sizes:
        rows = self.rows(first)
        return Sizes(
            rows=rows.stop - rows.start,
            lanes=self.lanes,
            time=self.time,
            features=self.features,
            units=self.units,
            stacks=self.stacks,
        )

    def read(self, first: int, state_masks: Array | None) -> Read:
        live = None if self.alive is None else self.alive[first:]
        return Read(_address(self.sequences[first:]), _address(live), _address(state_masks))

    def side_by_side(self, array: Array | None, first: int) -> Array | None:
        """A block's rows of [..., batch, n] as [..., n, lanes]; zeros where there is no row."""
        if array is None:
            return None
        part = array[..., self.rows(first), :]
        found = zeros(*part.shape[:-2], part.shape[-1], self.lanes)
        found[..., : part.shape[-2]] = part.swapaxes(-1, -2)
        return found

    def for_each(self, work: Callable[[int, int], None]) -> None:
        """Calls `work` with each block's number and first row, on as many threads as there are."""
        for_each(lambda part: work(*part), list(enumerate(self.firsts)), threads=thread_count())

    def together(self, blocks: Array) -> Array:
        """[blocks, n, lanes] to [batch, n]."""
        turned = blocks.transpose(0, 2, 1).reshape(-1, blocks.shape[1])
        return np.ascontiguousarray(turned[: self.batch])


def _contiguous(arrays: tuple[Array, ...]) -> Iterator[Array]:
    return (np.ascontiguousarray(array) for array in arrays)


def sweep_forward(keeps: str, *arrays: Array) -> tuple[Array, ...]:
    """Runs the LSTM over `sequences`.

    Args:
        keeps: "gates" for all that the gradient needs, "outputs", or "last" for neither.
        *arrays: In this order: sequences, float [batch, time, features]; kernel, recurrent kernel
            and bias as Keras shapes them; output and carry before the first step, float [batch,
            units]; dropout of the inputs, float [4 or 1, batch, features], and of the state, float
            [4 or 1, batch, units], each of size 0 for none; and which steps are alive, bool
            [batch, time], of size 0 for all.

    Returns:
        Output and carry after the last step [batch, units]; the outputs [blocks, time + 1, units,
        lanes], first the initial one, where kept; and with the gates the carries, likewise, and the
        gates, after their activation, [blocks, time, 4, units, lanes].
    """
    sequences, kernel, recurrent_kernel, bias, output, carry, *given = _contiguous(arrays)
    units = output.shape[1]
    batch = _Batch(sequences, units, *given)
    time, features, lanes = batch.time, batch.features, batch.lanes
    weights = empty(features + units + 1, GATES * units)
    np.concatenate([kernel, recurrent_kernel, bias[None]], out=weights)
    by_gate = weights.reshape(-1, GATES, units)
    by_gate[:, :_CANDIDATE] *= 0.5
    by_gate[:, _CANDIDATE + 1 :] *= 0.5

    # Where the steps are not kept, they take turns.
    steps = {
        "gate_steps": time if keeps == "gates" else 1,
        "output_steps": 2 if keeps == "last" else time + 1,
        "carry_steps": time + 1 if keeps == "gates" else 2,
    }
    n = len(batch.firsts)
    gates = empty(n, steps["gate_steps"], GATES, units, lanes)
    outputs = empty(n, steps["output_steps"], units, lanes)
    carries = empty(n, steps["carry_steps"], units, lanes)

    def sweep(number: int, first: int) -> None:
        outputs[number, 0] = batch.side_by_side(output, first)
        carries[number, 0] = batch.side_by_side(carry, first)
        input_masks = batch.side_by_side(batch.input_masks, first)
        state_masks = batch.side_by_side(batch.state_masks, first)
        operand = zeros(batch.stacks, features + units + 1, lanes)
        operand[:, -1] = 1.0
        kept = Kept(
            gates=_address(gates[number]),
            outputs=_address(outputs[number]),
            carries=_address(carries[number]),
            **steps,
        )
        kernels.sweep_forward(
            batch.sizes(first), batch.read(first, state_masks), kept,
            _address(weights), _address(input_masks), _address(operand),
        )  # fmt: skip

    batch.for_each(sweep)
    last = [batch.together(states[:, time % states.shape[1]]) for states in (outputs, carries)]
    if keeps == "gates":
        return *last, outputs, carries, gates
    return (*last, outputs) if keeps == "outputs" else tuple(last)


def sweep_backward(*arrays: Array) -> tuple[Array, ...]:
    """Takes the gradient of a scalar back through `sweep_forward`.

    Args:
        *arrays: In this order: sequences, kernel, recurrent kernel, both dropouts and alive as
            `sweep_forward` had them; outputs, carries and gates as it kept them; the gradients with
            respect to the output of every step, float [batch, time, units], or of size 0 where only
            the last state was used, to the last output and to the last carry, float [batch, units].

    Returns:
        Gradients with respect to sequences, kernel, recurrent kernel, bias, output and carry.
    """
    (
        sequences, kernel, recurrent_kernel, input_masks, state_masks, alive,
        outputs, carries, gates, d_outputs, d_output, d_carry,
    ) = _contiguous(arrays)  # fmt: skip
    units = d_output.shape[1]
    batch = _Batch(sequences, units, input_masks, state_masks, alive)
    time, features, lanes = batch.time, batch.features, batch.lanes
    weights = empty(features + units, GATES * units)
    np.concatenate([kernel, recurrent_kernel], out=weights)
    turned_kernel = zeros(GATES * units, whole_vectors(features))
    turned_kernel[:, :features] = kernel.T

    n, row = len(batch.firsts), whole_vectors(features + units + 1)
    d_sequences = empty(*sequences.shape)
    d_weights = zeros(n, GATES * units, row)
    d_outputs_ = d_outputs if d_outputs.size else None
    d_states = empty(n, 2, units, lanes)

    def sweep(number: int, first: int) -> None:
        state_masks = batch.side_by_side(batch.state_masks, first)
        d_states[number, 0] = batch.side_by_side(d_output, first)
        d_states[number, 1] = batch.side_by_side(d_carry, first)
        read = zeros(lanes, row)
        read[:, features + units] = 1.0
        room = [
            empty(GATES, units, lanes),
            read,
            empty(lanes, units),
            empty(batch.stacks, units, lanes),
            empty(batch.stacks, lanes, turned_kernel.shape[1]),
            *(empty(units, lanes) for _ in range(2)),
        ]
        kept = Kept(
            gates=_address(gates[number]),
            outputs=_address(outputs[number]),
            carries=_address(carries[number]),
            gate_steps=time,
            output_steps=time + 1,
            carry_steps=time + 1,
        )
        of_rows = [
            None if array is None else array[:, first:]
            for array in (batch.input_masks, batch.state_masks)
        ]
        kernels.sweep_backward(
            batch.sizes(first), batch.read(first, state_masks),
            kept,
            Gradients(
                d_outputs=0 if d_outputs_ is None else _address(d_outputs_[first:]),
                d_output=_address(d_states[number, 0]),
                d_carry=_address(d_states[number, 1]),
                d_sequences=_address(d_sequences[first:]),
                d_weights=_address(d_weights[number]),
            ),
            Room(*(_address(array) for array in room)),
            _address(weights), _address(turned_kernel), _address(of_rows[0]), _address(of_rows[1]),
            batch.batch,
        )  # fmt: skip

    batch.for_each(sweep)
    d_all = d_weights.sum(axis=0).T
    d_kernel, d_recurrent, d_bias = np.split(d_all[: features + units + 1], [features, -1])
    return (
        d_sequences,
        np.ascontiguousarray(d_kernel),
        np.ascontiguousarray(d_recurrent),
        d_bias[0].copy(),
        *(batch.together(d_states[:, k]) for k in range(2)),
    )
