#!/usr/bin/env bash
# The object as built here, on the Pythons 3.13 to 3.15 and the newer glibc of Debian forky, in a chroot under build/.
#
#   tests/forky.sh test [RESULTS]   worker and differential tests inside; rows of the table go to the folder RESULTS
#   tests/forky.sh run COMMAND...   any command inside, for example: run env PYTHON=3.15 tests/run.sh demo
#
# Needs root, a Debian with its apt sources, and a network: where one is missing, "test" says so and counts as skipped.
# The mirror is the one that this machine's apt uses; pip's settings, certificates and proxies are this machine's, too.
#
# Mounts are made in a mount namespace of their own. They are gone with the last process inside, however it ends, and
# nobody outside ever sees them, so that removing build/ cannot reach through one.
set -uo pipefail
cd "$(dirname "$0")/.."

base=build/forky
root=$base/root
inside=/sandglass

unavailable() { why=$*; return 1; }

mirror() { apt-get indextargets --format '$(ORIGIN) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
	awk '$1 == "Debian" && $2 == "main" { print $3; exit }'; }

possible() {
	[[ $(id -u) == 0 ]] || unavailable "it needs root" || return
	command -v apt-get >/dev/null || unavailable "this is no Debian" || return
	unshare --mount true 2>/dev/null || unavailable "mount namespaces are not allowed here" || return
	unshare --mount --pid --fork true 2>/dev/null || unavailable "process namespaces are not allowed here" || return
	command -v debootstrap >/dev/null || DEBIAN_FRONTEND=noninteractive \
		apt-get install -y --no-install-recommends debootstrap debian-archive-keyring >>build/setup.log 2>&1 ||
		unavailable "debootstrap could not be installed" || return
}

# enter DIRECTORY COMMAND...: inside, with /proc and /dev, in this machine's environment less what is about its Python.
enter() {
	local directory=$1
	shift
	unshare --mount --propagation private --pid --fork --kill-child bash -c '
		set -e
		root=$1 directory=$2; shift 2
		mount -t proc proc "$root/proc"
		mount --rbind /dev "$root/dev"
		for name in $(compgen -e | grep -E "^(PYTHON.*|VIRTUAL_ENV|LD_.*|SANDGLASS.*|TMPDIR|PYENV.*|MAKE.*|MFLAGS)$"); do
			unset "$name"
		done
		export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 SYSTEM_TAG=forky
		exec chroot "$root" sh -c "cd \"\$0\" && exec \"\$@\"" "$directory" "$@"
	' enter "$root" "$directory" "$@"
}

# What a network client inside needs to know of this machine.
settings() {
	local name file
	for file in /etc/resolv.conf /etc/hosts /etc/pip.conf; do
		[[ -f $file ]] && cp -L "$file" "$root$file"
	done
	for file in .config/pip/pip.conf .pip/pip.conf; do
		[[ -f $HOME/$file ]] && install -D -m 0644 "$HOME/$file" "$root/root/$file"
	done
	for name in $(compgen -e | grep -E 'CERT|CA_BUNDLE|CAINFO|^PIP_CONFIG_FILE$'); do
		[[ ${!name} == /* && -f ${!name} ]] && install -D -m 0644 "${!name}" "$root${!name}"
	done
	[[ -f /etc/ssl/certs/ca-certificates.crt ]] &&
		install -D -m 0644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
	apt-config dump | grep -E '^Acquire::(http|https)::' >"$root/etc/apt/apt.conf.d/90host"
	# A mirror that stands still outlives the date in its Release file. Its signature is checked all the same.
	echo 'Acquire::Check-Valid-Until "false";' >"$root/etc/apt/apt.conf.d/91frozen"
}

bootstrap() {
	[[ -e $base/.stamp ]] && return
	local from
	from=$(mirror)
	[[ -n $from ]] || unavailable "no Debian mirror in this machine's apt sources" || return
	echo "     making a Debian forky in $root" >&2
	rm -rf --one-file-system "$base"
	mkdir -p "$base"
	# The script for sid is every newer release's; an older debootstrap does not know the name forky.
	timeout 900 debootstrap --variant=minbase --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
		forky "$root" "$from" /usr/share/debootstrap/scripts/sid >"$base/debootstrap.log" 2>&1 ||
		unavailable "debootstrap failed, see $base/debootstrap.log" || return
	settings
	{
		enter / apt-get update &&
			enter / env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates \
				python3.13 python3.13-venv python3.14 python3.14-venv python3.15 python3.15-venv
	} >"$base/apt.log" 2>&1 || unavailable "apt-get failed inside, see $base/apt.log" || return
	touch "$base/.stamp"
}

# The tree and the object as they are now; virtual environments inside stay.
copy() {
	settings
	rm -rf --one-file-system "${root:?}$inside/tests" "$root$inside/build/test"
	mkdir -p "$root$inside/build/tools"
	cp -a tests config "$root$inside/"
	cp -a build/libsandglass.so "$root$inside/build/"
	[[ ! -d build/tools/server || -d $root$inside/build/tools/server ]] ||
		cp -a build/tools/server "$root$inside/build/tools/"
}

prepare() { possible && bootstrap && copy; }

case ${1:-} in
test)
	results=${2:-build/test}
	mkdir -p "$results"
	if ! prepare; then
		echo "skip workers forky: ${why:-it could not be prepared}"
		echo "forky workers 0 0 1 0" >"$results/workers-forky.row"
		exit 0
	fi
	for layer in workers differential; do
		enter "$inside" env JOBS="${JOBS:-1}" PYTHON="${PYTHON:-}" PROGRAMS="${PROGRAMS:-200}" tests/run.sh $layer 2>&1 |
			grep -E '^(ok|FAIL|setup|run| )' | sed 's#repeat: #&tests/forky.sh run env #; s#cd /sandglass && #tests/forky.sh run env #'
		cp "$root$inside"/build/test/*.row "$root$inside"/build/test/*.log "$results"/ 2>/dev/null ||
			echo "forky $layer 0 1 0 0" >"$results/$layer-forky.row"
	done
	;;
run)
	shift
	prepare || { echo "forky: ${why:-it could not be prepared}" >&2; exit 1; }
	enter "$inside" "$@"
	;;
*) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2 ;;
esac
