#!/bin/bash
# The main job on a real 3-node Kind cluster, from nothing: make demo.
# What is typed here is what a user types; every command is shown first.
set -eu -o pipefail
cd "$(dirname "$0")/.."

PROVIDER=${PROVIDER:-podman}
CLUSTER=e2eimage-demo-$PROVIDER
NAMESPACE=kubernaut-system
SOURCE=localhost/kubernaut-datastorage:e2e-test-datastorage
WORK=bin/demo-$PROVIDER

step() { printf '\n\033[1m== %s\033[0m\n' "$*" >&2; }
show() { printf '$ %s\n' "$*" >&2; "$@"; }
[ -t 2 ] || step() { printf '\n== %s\n' "$*" >&2; }

clean() {
  go run ./test/cluster delete --name "$CLUSTER" --provider "$PROVIDER"
  env=$(go run ./test/cluster env --provider "$PROVIDER") && eval "$env"
  "$PROVIDER" rmi "$SOURCE" >/dev/null 2>&1 || true
  rm -rf "$WORK"
  echo "demo on $PROVIDER: cluster, image and files are gone"
}
if [ "${1:-}" = clean ]; then clean; exit; fi

mkdir -p "$WORK"
step "1. A Kind cluster with 3 nodes on $PROVIDER (the first time builds a node image: 10-15 minutes)"
export KUBECONFIG=$PWD/$WORK/kubeconfig
go run ./test/cluster create --name "$CLUSTER" --workers 2 --provider "$PROVIDER" --kubeconfig "$KUBECONFIG" --wait
env=$(go run ./test/cluster env --provider "$PROVIDER") && eval "$env"

step "2. kubectl and the plugin, on PATH"
go build -trimpath -o "$WORK/" ./cmd/kubectl-e2eimage
command -v kubectl >/dev/null || "$PROVIDER" cp "$CLUSTER-control-plane:/usr/bin/kubectl" "$WORK/kubectl"
PATH=$PWD/$WORK:$PATH

step "3. The service, built under its fixed reference and put on every node"
CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.build=$(git rev-parse --short HEAD 2>/dev/null || echo demo)" \
  -o "$WORK/image/datastorage" ./examples/datastorage
cp examples/datastorage/Dockerfile "$WORK/image/"
show "$PROVIDER" build --quiet --tag "$SOURCE" "$WORK/image"
show kubectl e2eimage load --source "$SOURCE"

step "4. Decide the tag once, put it on every node, record it"
kubectl get namespace "$NAMESPACE" >/dev/null 2>&1 || show kubectl create namespace "$NAMESPACE"
show kubectl e2eimage tag datastorage --source "$SOURCE" --consumer workflowexecution --namespace "$NAMESPACE"

step "5. Deploy from the record, and prove it"
show kubectl apply --namespace "$NAMESPACE" -f examples/datastorage/deployment.yaml
show kubectl e2eimage deploy datastorage --namespace "$NAMESPACE"

step "6. What happened"
show kubectl get configmap e2eimage-workflowexecution --namespace "$NAMESPACE" \
  -o 'go-template={{range $k, $v := .metadata.annotations}}{{$k}}: {{$v}}{{"\n"}}{{end}}'
for node in $(kubectl get nodes -o name | cut -d/ -f2); do
  show "$PROVIDER" exec "$node" crictl images | grep -E 'IMAGE ID|datastorage'
done
show kubectl get pods --namespace "$NAMESPACE" -o wide
step "7. The service answers"
# Not those of before, which may be on their way out still.
for pod in $(kubectl get pods --namespace "$NAMESPACE" -l app=datastorage \
  -o 'go-template={{range .items}}{{if not .metadata.deletionTimestamp}}{{.metadata.name}} {{end}}{{end}}'); do
  show kubectl get --raw "/api/v1/namespaces/$NAMESPACE/pods/$pod:8080/proxy/"
done
step "Again: nothing changes"
show kubectl e2eimage tag datastorage --source "$SOURCE" --consumer workflowexecution --namespace "$NAMESPACE"
show kubectl e2eimage deploy datastorage --namespace "$NAMESPACE"
echo
echo "done; look around with"
echo "  export KUBECONFIG=$PWD/$WORK/kubeconfig PATH=$PWD/$WORK:\$PATH"
echo "then: make demo-clean PROVIDER=$PROVIDER"
