# Takes names of one owner away, and images that then nothing names or runs.
# Arguments: OWNER NAME, repeated. Prints per name a line
# "NAME<TAB>removed|absent|foreign<TAB>IMAGE-ID<TAB>kept|freed".
set -u
cri() {
  crictl inspecti --output go-template --template "$2" "$1" 2>/dev/null
}
# What names an image: its tags, and its digest references but for those that
# `kind load` leaves behind (import-<date>@sha256:…), which nobody refers to.
names() {
  cri "$1" '{{range .status.repoTags}}{{println .}}{{end}}{{range .status.repoDigests}}{{println .}}{{end}}' |
    grep -v -e '^docker.io/library/import-[0-9-]*@sha256:' -e '^$'
}
# Whether a pod that is still there has a container of the image, running or about
# to be restarted. What a deleted pod leaves for a while does not count.
runs() {
  ready=$(crictl pods --quiet --no-trunc --state ready)
  crictl ps --all --image "$1" --output json | sed -n 's/.*"podSandboxId": *"\([0-9a-f]*\)".*/\1/p' | {
    while read -r sandbox; do
      printf '%s\n' "$ready" | grep -qF "$sandbox" && exit 0
    done
    exit 1
  }
}
while [ $# -ge 2 ]; do
  owner=$1 name=$2
  shift 2
  if [ -z "$(ctr --namespace k8s.io images ls --quiet "name==\"$name\"")" ]; then
    printf '%s\tabsent\t\tkept\n' "$name"
    continue
  fi
  if [ -z "$(ctr --namespace k8s.io images ls --quiet "name==\"$name\",labels.\"e2eimage.dev/owner\"==\"$owner\"")" ]; then
    printf '%s\tforeign\t\tkept\n' "$name"
    continue
  fi
  id=$(cri "$name" '{{.status.id}}')
  ctr --namespace k8s.io images rm "$name" >/dev/null || exit 1
  outcome=kept
  if [ -n "$id" ]; then
    tries=0
    # The CRI forgets a name a moment after containerd did.
    while names "$id" | grep -qxF "$name" && [ "$tries" -lt 100 ]; do
      tries=$((tries + 1))
      sleep 0.1
    done
    # containerd keeps the CRI's own name of the image, its ID, in most cases.
    if ! cri "$id" '{{.status.id}}' >/dev/null; then
      outcome=freed
    elif [ -z "$(names "$id")" ] && ! runs "$id"; then
      crictl rmi "$id" >/dev/null && outcome=freed
    fi
  fi
  printf '%s\tremoved\t%s\t%s\n' "$name" "$id" "$outcome"
done
