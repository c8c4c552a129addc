"""A worker process, `python -m lstm_study.engine.worker`: started by a supervisor, speaks JSON.

Not a command for people. It ends as soon as its standard input closes, that is, when its
supervisor ends, however that happens.
"""

import argparse
import json
import logging
import os
import queue
import sys
import threading
import time
from pathlib import Path
from typing import Any

from lstm_study.engine.core_sharing import Seat
from lstm_study.errors import StudyError

_WAIT_SECONDS = 0.2


def main() -> None:
    """Loads what training needs, reads what to work on, then does jobs until its input closes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=int, required=True, help="file descriptor for answers")
    answers = os.fdopen(parser.parse_args().answers, "w", buffering=1, encoding="utf-8")
    machine = json.loads(sys.stdin.readline())
    jobs: queue.Queue[dict[str, Any]] = queue.Queue()
    threading.Thread(target=_read_jobs, args=(jobs,), daemon=True).start()
    logging.basicConfig(
        level=logging.INFO,
        format=f"%(asctime)s {machine['worker']} %(levelname)s %(name)s: %(message)s",
    )

    def say(kind: str, **values: Any) -> None:
        answers.write(json.dumps({"kind": kind} | values) + "\n")

    from lstm_study.training.runtime import configure

    seat = Seat(machine["seats"], number=machine["seat"], processors=machine["processors"])
    try:
        runtime = configure(
            threads=machine["threads"],
            gpu=machine["gpu"],
            workers_on_gpu=machine["workers_on_gpu"],
            share=seat.share,
        )
        load(machine["stage"])
        work = _Work(jobs.get(), worker=machine["worker"], seat=seat)
    except StudyError as error:
        say("done", error=str(error))
        return
    say("ready", backend=runtime.backend, devices=runtime.devices)
    while True:
        job = jobs.get()
        try:
            work.do(job)
        except StudyError as error:
            say("done", error=str(error))
        else:
            say("done")


def _read_jobs(jobs: "queue.Queue[dict[str, Any]]") -> None:
    for line in sys.stdin:
        jobs.put(json.loads(line))
    # The supervisor is gone. Every file is replaced whole, so there is nothing to tidy up.
    os._exit(0)


def load(stage: str) -> None:
    """Imports all that a stage trains with, while the supervisor may still be at something else."""
    from lstm_study.training.imports import skip_optional_imports
    from lstm_study.training.memory import freeze_loaded_objects

    with skip_optional_imports():
        import lstm_study.training.one

        if stage == "search":
            import lstm_study.search.tuner  # noqa: F401 - imported to be there, as the one above
    freeze_loaded_objects()


class _Work:
    """What a worker loads once: the spec, the reviews, the study's folder."""

    def __init__(self, setup: dict[str, Any], *, worker: str, seat: Seat) -> None:
        from lstm_study.corpus.load import load
        from lstm_study.spec import StudySpec
        from lstm_study.store import Store

        self.worker, self.seat = worker, seat
        self.command: str = setup["command"]
        self.spec = StudySpec.model_validate(setup["spec"], strict=False)
        self.crew: str = setup["crew"]
        self.store = Store(Path(setup["store"]), term=setup["term"], crew=self.crew)
        self.corpus = load(self.spec.data, seed=self.spec.study.seed)

    def do(self, job: dict[str, Any]) -> None:
        """Does a job, in its seat as long as it computes."""
        if job["job"] == "search":
            self._search(address=job["address"], token=job["token"])
        elif job["job"] == "wait":
            # There is nothing to do now, and may be once another worker is done.
            time.sleep(_WAIT_SECONDS)
        else:
            with self.seat.taken():
                self._compare(job)

    def _compare(self, job: dict[str, Any]) -> None:
        if job["job"] == "run":
            self._run(job["run_id"])
        elif job["job"] == "control":
            self._control()
        else:
            assert job["job"] == "test-reviews"
            self._test_reviews()

    def _search(self, *, address: str, token: str) -> None:
        import grpc
        import keras_tuner

        from lstm_study.errors import SearchError
        from lstm_study.search.tuner import StudyTuner

        tuner = StudyTuner(
            address=address,
            token=token,
            spec=self.spec,
            corpus=self.corpus,
            store=self.store,
            worker=self.worker,
            crew=self.crew,
            at_work=self.seat.taken,
        )
        try:
            tuner.search()
        except keras_tuner.errors.FatalError as error:
            raise SearchError(str(error)) from error
        except grpc.RpcError as error:
            # Where the chief has ended or gave this crew up, that says more than the refusal.
            self.store.check_term()
            raise SearchError(
                f"{address}: the chief gave no answer ({error.code().name.lower()}: "
                f"{error.details()})."
            ) from error

    def _run(self, run_id: str) -> None:
        from lstm_study.comparison.runs import execute

        execute(
            run_id,
            spec=self.spec,
            corpus=self.corpus,
            store=self.store,
            worker=self.worker,
            command=self.command,
        )

    def _control(self) -> None:
        from lstm_study.comparison.classical_control import execute_control

        execute_control(
            spec=self.spec,
            corpus=self.corpus,
            store=self.store,
            worker=self.worker,
            command=self.command,
        )

    def _test_reviews(self) -> None:
        from lstm_study.comparison.opening import open_test
        from lstm_study.comparison.review_facts import TEST_REVIEWS, describe_test_reviews

        describe_test_reviews(
            open_test(self.corpus, self.store, run_id=TEST_REVIEWS, command=self.command),
            spec=self.spec,
            corpus=self.corpus,
            store=self.store,
        )


if __name__ == "__main__":
    main()
