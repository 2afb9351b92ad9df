# Adds tags to images of this node. Arguments: IMAGE-ID TARGET OWNER, repeated.
# Prints per target a line "TARGET<TAB>added|present<TAB>IMAGE-ID<TAB>OWNER": the
# image ID that the CRI now has under that name and the owner that the name has.
set -u
cri_id() {
  crictl inspecti --output go-template --template '{{.status.id}}' "$1" 2>/dev/null
}
# --local makes the creation of a name atomic: it fails when the name exists,
# where containerd 2's transfer service would overwrite it. The CRI's own name
# for an image is its ID, but an image that was imported over another one under
# the same tag does not get it: then any of its other names will do, and the
# check of the image ID below says whether it still was that image.
add() {
  ctr --namespace k8s.io images tag --local "$1" "$2" && return
  exists "$2" && return 1
  crictl inspecti --output go-template \
    --template '{{range .status.repoTags}}{{println .}}{{end}}{{range .status.repoDigests}}{{println .}}{{end}}' "$1" | {
    while read -r name; do
      [ -n "$name" ] && ctr --namespace k8s.io images tag --local "$name" "$2" && exit 0
    done
    exit 1
  }
}
owner_of() {
  ctr --namespace k8s.io images ls "name==\"$1\"" |
    sed -n 's/.*e2eimage\.dev\/owner=\([^,[:space:]]*\).*/\1/p'
}
exists() {
  [ -n "$(ctr --namespace k8s.io images ls --quiet "name==\"$1\"")" ]
}
while [ $# -ge 3 ]; do
  id=$1 target=$2 owner=$3
  shift 3
  if exists "$target"; then
    state=present has=$(owner_of "$target")
  elif said=$(add "$id" "$target" 2>&1); then
    state=added has=$owner
    ctr --namespace k8s.io images label "$target" "e2eimage.dev/owner=$owner" >/dev/null || exit 1
  elif exists "$target"; then
    state=present has=$(owner_of "$target")
  else
    printf '%s\n' "$said" >&2
    exit 1
  fi
  # The CRI learns of a name from containerd's events, usually at once.
  tries=0
  until got=$(cri_id "$target"); do
    tries=$((tries + 1))
    if [ "$tries" -ge 100 ]; then got=; break; fi
    sleep 0.1
  done
  printf '%s\t%s\t%s\t%s\n' "$target" "$state" "$got" "$has"
done
