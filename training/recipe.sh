#!/bin/sh
# The default model from data to manifest. Run again it goes on where it stopped.
#   recipe.sh refine DATA REFERENCE.onnx RELATIVE.onnx WORK            about 2 hours: the shipped weights, trained further
#   recipe.sh full DATA REFERENCE.onnx RELATIVE.onnx WORK IMAGENET.npz about 2 hours: from an ImageNet encoder, then pruned
# Writes WORK/fastdepth.onnx (and, of full, WORK/fastdepth-full.onnx) and scores them. Copy what is better than
# ../models/fastdepth.onnx there, and bring its manifest up to date (README.md).
#   MINUTES     share of the published times, in percent (default 100)
#   PROCESSES   that share a batch, one thread each (default 2)
#   LATENCY     what `depthline bench-layers` wrote on the device: prune to milliseconds instead of MACs
set -eu
kind=$1 data=$2 reference=$3 relative=$4 work=$5
cd "$(dirname "$0")"
python=.venv/bin/python
# A core that waits for another does not spin.
export OMP_WAIT_POLICY=passive

minutes() { echo $(($1 * ${MINUTES:-100} / 100)); }
views() {
  out=$1
  shift
  $python make_views.py --data "$data" --relative "$relative" --threads 1 --views 3 --out "$out" --teacher "$@"
}
train() {
  $python train.py --data "$data" --bfloat16 --batch 16 --processes "${PROCESSES:-2}" --threads 1 "$@"
}
imported() { [ -f "$2" ] || $python import_weights.py "$1" --data "$data" --out "$2"; }
export_to() { $python export.py --checkpoint "$1/checkpoint.pt" --steep --out "$2"; }

views "$work/views" "$reference"
case $kind in
  refine)
    imported ../models/fastdepth.onnx "$work/shipped/checkpoint.pt"
    train --views "$work/views" --start "$work/shipped/checkpoint.pt" --out "$work/refined" --minutes "$(minutes 112)" \
      --sizes 192:0.6,224:1 --whole-from 0.8 --average 0.998 --learning-rate 8e-4
    export_to "$work/refined" "$work/fastdepth.onnx"
    ;;
  full)
    imported "$6" "$work/imagenet/checkpoint.pt"
    # The decoder first, the encoder frozen for half of the time; small pictures.
    train --views "$work/views" --start "$work/imagenet/checkpoint.pt" --out "$work/full-small" --minutes "$(minutes 10)" \
      --sizes 128:1 --frozen 0.5 --encoder-rate 0.3 --learning-rate 1.4e-3
    train --views "$work/views" --start "$work/full-small/checkpoint.pt" --out "$work/full" --minutes "$(minutes 80)" \
      --sizes 128:0.35,160:0.6,224:1 --encoder-rate 0.4 --whole-from 0.75 --average 0.998 --learning-rate 1.4e-3
    export_to "$work/full" "$work/fastdepth-full.onnx"
    if [ -n "${LATENCY:-}" ]; then
      $python netadapt.py --start "$work/full/checkpoint.pt" --views "$work/views" --budget 0.5 --steps 20 \
        --latency "$LATENCY" --out "$work/pruned"
    else
      $python netadapt.py --start "$work/full/checkpoint.pt" --to fastdepth --out "$work/pruned"
    fi
    train --views "$work/views" --start "$work/pruned/checkpoint.pt" --out "$work/final" --minutes "$(minutes 34)" \
      --sizes 160:0.2,224:1 --whole-from 0.7 --average 0.998 --learning-rate 1.4e-3
    export_to "$work/final" "$work/fastdepth.onnx"
    ;;
  *)
    echo "no recipe \"$kind\"; there are refine, full" >&2
    exit 2
    ;;
esac
$python evaluate.py --data "$data" --part choosing "$work"/fastdepth*.onnx ../models/fastdepth.onnx "$reference"
$python evaluate.py --data "$data" "$work"/fastdepth*.onnx ../models/fastdepth.onnx "$reference"
