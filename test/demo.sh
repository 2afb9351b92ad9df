#!/bin/bash
# The main job on a real Kind cluster: make demo.
# What is typed here is what a user types; every command is shown first.
#
#   PROVIDER      podman or docker; by default the one that is there, else podman
#   DEMO_CLUSTER  a Kind cluster that is there already; the demo adds a namespace and
#                 takes it away again
#
# As root on Debian or Ubuntu it sets up all that is missing. Anywhere else it installs
# nothing, and says what it needs.
set -eu -o pipefail
cd "$(dirname "$0")/.."

if [ -z "${PROVIDER:-}" ]; then
  PROVIDER=podman
  if ! command -v podman >/dev/null && docker info >/dev/null 2>&1; then PROVIDER=docker; fi
fi
OWN_CLUSTER=e2eimage-demo-$PROVIDER
CLUSTER=${DEMO_CLUSTER:-$OWN_CLUSTER}
NAMESPACE=kubernaut-system
CONSUMER=workflowexecution
if [ -n "${DEMO_CLUSTER:-}" ]; then NAMESPACE=e2eimage-demo; fi
SOURCE=localhost/kubernaut-datastorage:e2e-test-datastorage
WORK=bin/demo-$CLUSTER
export KUBECONFIG=$PWD/$WORK/kubeconfig

step() { printf '\n\033[1m== %s\033[0m\n' "$*" >&2; }
[ -t 2 ] || step() { printf '\n== %s\n' "$*" >&2; }
show() { printf '$ %s\n' "$*" >&2; "$@"; }
fail() { printf 'demo: %s\n' "$*" >&2; exit 1; }

# sets_up tells whether missing programs may be installed.
sets_up() { [ -z "${DEMO_CLUSTER:-}" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

# needs names all programs that are missing, at once.
needs() {
  local missing=()
  for program in go "$PROVIDER" kind kubectl; do command -v "$program" >/dev/null || missing+=("$program"); done
  [ ${#missing[@]} = 0 ] || fail "missing: ${missing[*]}. Install what is missing and try again (kind: go install sigs.k8s.io/kind@latest). As root on Debian or Ubuntu, make demo installs what it needs."
  "$PROVIDER" info >/dev/null 2>&1 || fail "$PROVIDER does not answer. Start it, and see that '$PROVIDER info' works; PROVIDER=docker or PROVIDER=podman says which one."
  export KIND_EXPERIMENTAL_PROVIDER=$PROVIDER
}

# cluster makes the cluster, or finds the one that is there, and writes its kubeconfig.
cluster() {
  if [ -n "${DEMO_CLUSTER:-}" ]; then
    kind get clusters 2>/dev/null | grep -qxF "$CLUSTER" || fail "$PROVIDER has no Kind cluster $CLUSTER. It has: $(kind get clusters 2>/dev/null | xargs)"
    (umask 077 && kind get kubeconfig --name "$CLUSTER" >"$KUBECONFIG")
  elif sets_up; then
    go run ./test/cluster create --name "$CLUSTER" --workers 2 --provider "$PROVIDER" --kubeconfig "$KUBECONFIG" --wait
    env=$(go run ./test/cluster env --provider "$PROVIDER") && eval "$env"
  else
    printf 'kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodes: [{role: control-plane}, {role: worker}, {role: worker}]\n' |
      show kind create cluster --name "$CLUSTER" --kubeconfig "$KUBECONFIG" --wait 3m --config -
  fi
}

delete_cluster() {
  if sets_up; then
    go run ./test/cluster delete --name "$CLUSTER" --provider "$PROVIDER"
    env=$(go run ./test/cluster env --provider "$PROVIDER") && eval "$env"
  else
    kind delete cluster --name "$CLUSTER" --kubeconfig "$KUBECONFIG"
  fi
}

# leave_cluster takes away what the demo added to a cluster that is not its own.
leave_cluster() {
  PATH=$PWD/$WORK:$PATH
  kubectl delete --namespace "$NAMESPACE" --ignore-not-found -f examples/datastorage/deployment.yaml
  kubectl wait --namespace "$NAMESPACE" --for=delete pod -l app=datastorage --timeout=60s
  kubectl e2eimage clean datastorage --consumer "$CONSUMER" --namespace "$NAMESPACE"
  kubectl delete namespace "$NAMESPACE"
  for node in $(kubectl get nodes -o name | cut -d/ -f2); do
    "$PROVIDER" exec "$node" crictl rmi "$SOURCE" >/dev/null 2>&1 || true
  done
}

clean() {
  sets_up || needs
  if [ -z "${DEMO_CLUSTER:-}" ]; then
    delete_cluster
  elif [ -e "$KUBECONFIG" ]; then
    leave_cluster
  fi
  "$PROVIDER" rmi "$SOURCE" >/dev/null 2>&1 || true
  rm -rf "$WORK"
  echo "the demo on cluster $CLUSTER ($PROVIDER) is gone"
}
if [ "${1:-}" = clean ]; then clean; exit; fi
sets_up || needs

mkdir -p "$WORK"
# The plugin compiles while the cluster starts.
go build -trimpath -ldflags '-s -w' -o "$WORK/" ./cmd/kubectl-e2eimage &
plugin=$!
trap 'kill "$plugin" 2>/dev/null || true' EXIT
if [ -n "${DEMO_CLUSTER:-}" ]; then
  step "1. The Kind cluster $CLUSTER on $PROVIDER"
else
  step "1. A Kind cluster with 3 nodes on $PROVIDER"
fi
cluster

step "2. kubectl and the plugin, on PATH"
wait "$plugin"
command -v kubectl >/dev/null || "$PROVIDER" cp "$CLUSTER-control-plane:/usr/bin/kubectl" "$WORK/kubectl"
PATH=$PWD/$WORK:$PATH
show kubectl e2eimage version

step "3. The service, built under its fixed reference and put on every node"
CGO_ENABLED=0 GOOS=linux go build -trimpath -ldflags "-s -w -X main.build=$(git rev-parse --short HEAD 2>/dev/null || echo demo)" \
  -o "$WORK/image/datastorage" ./examples/datastorage
cp examples/datastorage/Dockerfile "$WORK/image/"
show "$PROVIDER" build --quiet --tag "$SOURCE" "$WORK/image"
show kubectl e2eimage load --source "$SOURCE" --engine "$PROVIDER"

step "4. Decide the tag once, put it on every node, record it"
kubectl get namespace "$NAMESPACE" >/dev/null 2>&1 || show kubectl create namespace "$NAMESPACE"
show kubectl e2eimage tag datastorage --source "$SOURCE" --consumer "$CONSUMER" --namespace "$NAMESPACE"

step "5. Deploy from the record, and prove it"
show kubectl apply --namespace "$NAMESPACE" -f examples/datastorage/deployment.yaml
show kubectl e2eimage deploy datastorage --namespace "$NAMESPACE"

step "6. What happened"
show kubectl get configmap "e2eimage-$CONSUMER" --namespace "$NAMESPACE" \
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
show kubectl e2eimage tag datastorage --source "$SOURCE" --consumer "$CONSUMER" --namespace "$NAMESPACE"
show kubectl e2eimage deploy datastorage --namespace "$NAMESPACE"
echo
echo "done; look around with"
echo "  export KUBECONFIG=$KUBECONFIG PATH=$PWD/$WORK:\$PATH"
echo "then: make demo-clean PROVIDER=$PROVIDER${DEMO_CLUSTER:+ DEMO_CLUSTER=$DEMO_CLUSTER}"
