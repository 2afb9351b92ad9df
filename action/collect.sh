#!/usr/bin/env bash
# Collects what tells why something failed, into a folder. Secrets are not read.
set -uo pipefail

folder=$(mktemp -d "$RUNNER_TEMP/e2eimage-diagnostics-XXXXXX")
echo "folder=$folder" >>"$GITHUB_OUTPUT"
in=()
if [ -n "${E2EIMAGE_NAMESPACE:-}" ]; then in=(--namespace "$E2EIMAGE_NAMESPACE"); fi

# keep FILE COMMAND...: what one command says, also where it fails.
keep() {
  local file=$folder/$1
  shift
  timeout 60 "$@" >"$file" 2>&1 || echo "($* ended with $?)" >>"$file"
}

keep version.txt kubectl e2eimage version
keep status.yaml kubectl e2eimage status -o yaml
keep nodes.txt kubectl get nodes -o wide
keep workloads.txt kubectl get all -o wide ${in[@]+"${in[@]}"}
keep events.txt kubectl get events --sort-by=.lastTimestamp ${in[@]+"${in[@]}"}
keep pods.txt kubectl describe pods ${in[@]+"${in[@]}"}
keep records.yaml kubectl get configmaps --selector app.kubernetes.io/managed-by=kubectl-e2eimage -o yaml ${in[@]+"${in[@]}"}
for pod in $(kubectl get pods -o name ${in[@]+"${in[@]}"} 2>/dev/null); do
  keep "${pod##*/}.log" kubectl logs "$pod" --all-containers --prefix --tail 1000 ${in[@]+"${in[@]}"}
  keep "${pod##*/}.previous.log" kubectl logs "$pod" --all-containers --prefix --previous --tail 1000 ${in[@]+"${in[@]}"}
done
echo "diagnostics are in $folder"
