#!/bin/bash
# Records a real run in a terminal of 80 columns, on a real Kind cluster, and draws it as
# docs/images/run-dark.svg and run-light.svg: make picture.
#
#   PROVIDER   podman or docker
#   CLUSTER    a cluster of test/cluster to use, with KUBECONFIG; else one is made
set -eu -o pipefail
cd "$(dirname "$0")/.."
provider=${PROVIDER:-podman}
freeze=github.com/charmbracelet/freeze@v0.2.2

command -v tmux >/dev/null || { echo "picture: install tmux" >&2; exit 1; }
work=$(mktemp -d)
namespace=e2e
socket=e2eimage-picture-$$
own=
cleanup() {
  tmux -L "$socket" kill-server 2>/dev/null || true
  if [ -n "$own" ]; then
    go run ./test/cluster delete --name "$CLUSTER" --provider "$provider"
  else
    kubectl delete namespace "$namespace" --ignore-not-found --wait=false || true
  fi
  "$provider" image rm --force localhost/datastorage:dev localhost/gateway:dev >/dev/null 2>&1 || true
  rm -rf "$work"
}

if [ -z "${CLUSTER:-}" ]; then
  CLUSTER=e2eimage-picture own=yes KUBECONFIG=$work/kubeconfig
  trap cleanup EXIT
  go run ./test/cluster create --name "$CLUSTER" --workers 2 --provider "$provider" --kubeconfig "$KUBECONFIG" --wait
fi
trap cleanup EXIT
export KUBECONFIG
env=$(go run ./test/cluster env --provider "$provider") && eval "$env"
export KIND_EXPERIMENTAL_PROVIDER=$provider

# What a developer has: the plugin, kubectl, two services and their manifests.
mkdir -p "$work/bin" "$work/code"
go build -trimpath -ldflags '-s -w' -o "$work/bin/" ./cmd/kubectl-e2eimage
command -v kubectl >/dev/null || "$provider" cp "$CLUSTER-control-plane:/usr/bin/kubectl" "$work/bin/kubectl"
# image NAME BUILD
image() {
  mkdir -p "$work/$1"
  CGO_ENABLED=0 GOOS=linux go build -trimpath -ldflags "-s -w -X main.build=$1-$2" -o "$work/$1/datastorage" ./examples/datastorage
  cp examples/datastorage/Dockerfile "$work/$1/"
  "$provider" build --quiet --tag "localhost/$1:dev" "$work/$1"
}
image datastorage 1
image gateway 1
cp examples/makefile/services.yaml "$work/code/services.yaml"
cat >"$work/code/e2eimage.yaml" <<YAML
apiVersion: e2eimage.dev/v1alpha1
kind: Config
consumer: workflowexecution
namespace: $namespace
kindCluster: $CLUSTER
engine: $provider
images:
- {name: datastorage, source: 'localhost/datastorage:dev'}
- {name: gateway, source: 'localhost/gateway:dev'}
YAML
PATH=$work/bin:$PATH
export PATH
kubectl create namespace "$namespace"

# The prompt tells when a command is done.
cat >"$work/bashrc" <<BASH
PS1='\[\e[32m\]\$\[\e[0m\] '
PROMPT_COMMAND='tmux -L $socket wait-for -S prompt'
cd $work/code
BASH
tmux -L "$socket" -f /dev/null new-session -d -x 80 -y 60 "bash --noprofile --rcfile $work/bashrc -i"
tmux -L "$socket" set-option -g status off
tmux -L "$socket" wait-for prompt
type_in() {
  tmux -L "$socket" send-keys -l "$1"
  tmux -L "$socket" send-keys Enter
  tmux -L "$socket" wait-for prompt
  # bash draws the prompt after its command has told of it.
  sleep 0.3
}
type_in clear
type_in 'kubectl e2eimage up -f services.yaml'
image gateway 2
type_in '# A new build of gateway. Has anybody loaded it?'
type_in 'kubectl e2eimage status'
type_in 'kubectl e2eimage up gateway'
type_in 'kubectl e2eimage verify && echo "The pods run the newest builds."'
tmux -L "$socket" capture-pane -e -p >"$work/screen"
# Without the empty lines at the end, and with a reset where tmux only ends a colour: freeze
# knows no other end.
sed -i -e 's/\x1b\[39m/\x1b[0m/g' "$work/screen"
sed -e :a -e '/^\n*$/{$d;N;ba' -e '}' "$work/screen" >"$work/run.ansi"

# draw FILE BACKGROUND TEXT [COLOUR=INSTEAD...]
draw() {
  local file=$1 background=$2 text=$3
  shift 3
  go run "$freeze" "$work/run.ansi" --language ansi --output "$file" --window --background "$background" --padding 20 --margin 0 \
    --width 720 --border.radius 8 --font.family 'ui-monospace, SFMono-Regular, Menlo, Consolas, monospace' --font.size 14 --line-height 1.3
  sed -i "s/#c4c4c4/$text/Ig" "$file"
  for pair; do sed -i "s/${pair%=*}/${pair#*=}/Ig" "$file"; done
}
mkdir -p docs/images
draw docs/images/run-dark.svg '#0d1117' '#e6edf3'
# The colours of the terminal are for a dark ground.
draw docs/images/run-light.svg '#f6f8fa' '#1f2328' '#31BB71=#1a7f37' '#D74E6F=#cf222e' '#D3E561=#9a6700' '#04D7D7=#1b7c83' '#8056FF=#0969da' '#ED61D7=#8250df'
