#!/bin/bash
# Each of many jobs takes that archive into its own cluster. It builds nothing, and
# what it adopts is never removed.
#   test.sh ARTIFACTS CONSUMER NAMESPACE
set -eu -o pipefail
ARTIFACTS=$(cd "$1" && pwd)
export ARTIFACTS
consumer=$2 namespace=$3
cd "$(dirname "$0")"
e2eimage() { kubectl e2eimage --consumer "$consumer" --namespace "$namespace" "$@"; }

e2eimage build --prebuilt=require
e2eimage load
image=$(e2eimage tag --create-namespace)
e2eimage deploy -f deployment.yaml

# The tests themselves.
echo "$consumer tests $image"
