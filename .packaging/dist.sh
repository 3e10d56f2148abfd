#!/usr/bin/env bash
# What is given out, in build/dist: a wheel, a Debian package, and what a debugger wants to know of both.
#
#   .packaging/dist.sh MACHINE BUILT PYTHON
#
# MACHINE: x86_64, aarch64. BUILT: folder with the object and the command for it. PYTHON: has what requirements.txt names.
# The same sources and tools give the same bytes: times are the day of the version, as .github/CHANGELOG.md has it.
set -euo pipefail
cd "$(dirname "$0")/.."

machine=$1 built=$2 python=$3
version=$(sed -n 's/^VERSION := //p' Makefile)
name=sandglass-preload
prefix=$([[ $machine == "$(uname -m)" ]] || echo "$machine-linux-gnu-")
out=build/dist
work=$out/work-$machine
platform=manylinux_2_28_$machine # what is promised; auditwheel says what is needed

die() { echo "dist: $*" >&2; exit 1; }

day=$(sed -n "s/^## $version - //p" .github/CHANGELOG.md)
[[ -n $day ]] || die ".github/CHANGELOG.md has no version $version"
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(date -u -d "$day" +%s)} LC_ALL=C
umask 022
rm -rf "$work"
mkdir -p "$work/debug" "$work/libraries"

# strip_into FILE PLACE MODE: without its debug information, which goes where a debugger looks for it by the build's number.
strip_into() {
	local id file
	id=$("${prefix}readelf" -n "$1" | sed -n 's/.*Build ID: //p')
	file=$work/debug/usr/lib/debug/.build-id/${id:0:2}/${id:2}.debug
	mkdir -p "$(dirname "$file")" "$(dirname "$2")"
	"${prefix}objcopy" --only-keep-debug "$1" "$file"
	chmod 0644 "$file"
	"${prefix}strip" --strip-unneeded --remove-section=.comment -o "$2" "$1"
	chmod "$3" "$2"
}
strip_into "$built/sandglass" "$work/sandglass" 0755
strip_into "$built/libsandglass.so" "$work/libsandglass.so" 0644
tar -C "$work/debug" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner -cJf \
	"$out/$name-$version-$machine-debug.tar.xz" usr

# The licences: ours, and those of the libraries in the command, as Debian has them.
{
	cat .packaging/copyright
	printf '\nLicense: Expat\n'
	sed '1,/^Copyright/d; /./,$!d' LICENSE | sed 's/^$/./; s/^/ /' | sed '1{/^ \.$/d}'
} >"$work/copyright"
for library in libelf-dev libinih-dev libminizip-dev zlib1g-dev libzstd-dev libc6-dev; do
	[[ ! -e /usr/share/doc/$library/copyright ]] || cp -L "/usr/share/doc/$library/copyright" "$work/libraries/$library.txt"
done

# --- the wheel: the command among the scripts, the object in lib beside them, the plugin for pytest as a module ---
tree=$work/wheel/sandglass_preload-$version
info=$tree/sandglass_preload-$version.dist-info
data=$tree/sandglass_preload-$version.data
mkdir -p "$info/licenses"
install -D -m 0755 "$work/sandglass" "$data/scripts/sandglass"
install -D -m 0644 "$work/libsandglass.so" "$data/data/lib/libsandglass.so"
install -m 0644 hooks/engines/temporal/command/sandglass_pytest.py "$tree"
printf '[pytest11]\nsandglass = sandglass_pytest\n' >"$info/entry_points.txt"
cp -r "$work/copyright" "$work/libraries" "$info/licenses"
{
	cat <<-METADATA
		Metadata-Version: 2.1
		Name: $name
		Version: $version
		Summary: Keeps Python workflow code deterministic, from underneath (LD_PRELOAD)
		License: MIT
		Requires-Python: >=3.10
		Classifier: License :: OSI Approved :: MIT License
		Classifier: Operating System :: POSIX :: Linux
		Description-Content-Type: text/markdown

	METADATA
	cat README.md
} >"$info/METADATA"
cat >"$info/WHEEL" <<-WHEEL
	Wheel-Version: 1.0
	Generator: sandglass ($version)
	Root-Is-Purelib: false
	Tag: py3-none-$platform
WHEEL
"$python" -m wheel pack "$work/wheel/sandglass_preload-$version" --dest-dir "$out" >/dev/null
wheel=$out/sandglass_preload-$version-py3-none-$platform.whl
[[ -e $wheel ]] || die "$wheel was not made"
needs=$("$python" -m auditwheel show "$wheel" | tr '\n' ' ' | sed -n 's/.*the following platform tag: "\([a-z0-9_]*\)".*/\1/p')
[[ $needs == manylinux_*_"$machine" && $(printf '%s\n' "$needs" "$platform" | sort -V | tail -n 1) == "$platform" ]] ||
	die "auditwheel: $wheel wants ${needs:-more than any platform has}"

# --- the Debian package ---
command -v dpkg-deb >/dev/null || { echo "dist: no Debian package, dpkg-deb is missing" >&2; exit 0; }
case $machine in x86_64) architecture=amd64 ;; aarch64) architecture=arm64 ;; *) die "$machine: no name at Debian" ;; esac
root=$work/deb
doc=$root/usr/share/doc/$name
install -D -m 0755 "$work/sandglass" "$root/usr/bin/sandglass"
install -D -m 0644 "$work/libsandglass.so" "$root/usr/lib/sandglass/libsandglass.so"
install -D -m 0644 .packaging/lintian-overrides "$root/usr/share/lintian/overrides/$name"
mkdir -p "$root/DEBIAN" "$root/usr/share/man/man1" "$doc"
cp -r README.md "$work/copyright" "$work/libraries" "$doc"
.packaging/man.sh build/sandglass "$day" | gzip -9n >"$root/usr/share/man/man1/sandglass.1.gz"
for place in bash:bash-completion/completions/sandglass zsh:zsh/vendor-completions/_sandglass fish:fish/vendor_completions.d/sandglass.fish; do
	mkdir -p "$(dirname "$root/usr/share/${place#*:}")"
	build/sandglass completion "${place%%:*}" >"$root/usr/share/${place#*:}"
done
maintainer="${DEBFULLNAME:-Sandglass authors} <${DEBEMAIL:-sandglass@users.noreply.github.com}>"
# The changelog in the format of Debian.
while read -r _ one _ date; do
	printf '%s (%s) unstable; urgency=medium\n\n' "$name" "$one"
	sed -n "/^## $one - /,/^## /{/^- /p}" .github/CHANGELOG.md | while IFS= read -r line; do
		printf '%s\n' "${line#- }" | fold -s -w 74 | sed '1s/^/  * /; 2,$s/^/    /; s/ *$//'
	done
	printf '\n -- %s  %s\n\n' "$maintainer" "$(date -u -R -d "$date")"
done < <(grep '^## ' .github/CHANGELOG.md) | gzip -9n >"$doc/changelog.gz"
cat >"$root/DEBIAN/control" <<-CONTROL
	Package: $name
	Version: $version
	Architecture: $architecture
	Maintainer: $maintainer
	Installed-Size: $(du -sk --apparent-size "$root/usr" | cut -f1)
	Depends: libc6 (>= 2.28)
	Section: python
	Priority: optional
	Description: keeps Python workflow code deterministic, from underneath
	 A shared object for LD_PRELOAD that guards workflow code in unmodified Python
	 workers (Temporal): calls that would give another answer on replay are refused,
	 with the line and what to write instead. The command sandglass starts programs
	 with it, explains refusals, and tells what compiled libraries do by themselves.
CONTROL
(cd "$root" && find usr -type f | sort | xargs md5sum) >"$root/DEBIAN/md5sums"
find "$root" -type d -exec chmod 0755 {} +
dpkg-deb --root-owner-group --uniform-compression -Zxz --build "$root" "$out/${name}_${version}_$architecture.deb" >/dev/null
ls -1 "$wheel" "$out/${name}_${version}_$architecture.deb" "$out/$name-$version-$machine-debug.tar.xz"
