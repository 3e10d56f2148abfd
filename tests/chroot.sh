# Sourced by the scripts that run the tests in another Debian: forky.sh, bullseye.sh. A chroot under build/, with the object as
# it was built here. They set before: release, script (debootstrap's, of a release that it may not know by name), packages,
# suites (arguments for tests/run.sh) and layers, of which each must have a row then; furnish() may do more inside, once.
#
# Needs root, a Debian with its apt sources, and a network: where one is missing, "test" says so and counts as skipped.
# The mirror is the one that this machine's apt uses; pip's settings, certificates and proxies are this machine's, too.
#
# Mounts are made in a mount namespace of their own. They are gone with the last process inside, however it ends, and
# nobody outside ever sees them, so that removing build/ cannot reach through one.

base=build/$release
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
		export SYSTEM_TAG=$1
		root=$2 directory=$3; shift 3
		mount -t proc proc "$root/proc"
		mount --rbind /dev "$root/dev"
		for name in $(compgen -e | grep -E "^(PYTHON.*|VIRTUAL_ENV|LD_.*|SANDGLASS.*|TMPDIR|PYENV.*|MAKE.*|MFLAGS)$"); do
			unset "$name"
		done
		export PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8
		exec chroot "$root" sh -c "cd \"\$0\" && exec \"\$@\"" "$directory" "$@"
	' enter "$release" "$root" "$directory" "$@"
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
	echo "     making a Debian $release in $root" >&2
	rm -rf --one-file-system "$base"
	mkdir -p "$base"
	timeout 900 debootstrap --variant=minbase --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
		"$release" "$root" "$from" "/usr/share/debootstrap/scripts/$script" >"$base/debootstrap.log" 2>&1 ||
		unavailable "debootstrap failed, see $base/debootstrap.log" || return
	settings
	# shellcheck disable=SC2086
	{
		enter / apt-get update &&
			enter / env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates $packages &&
			furnish "$from"
	} >"$base/apt.log" 2>&1 || unavailable "it could not be furnished, see $base/apt.log" || return
	touch "$base/.stamp"
}

# The tree, the object and the command as they are now; virtual environments inside stay.
copy() {
	settings
	rm -rf --one-file-system "${root:?}$inside/tests" "$root$inside/build/test"
	mkdir -p "$root$inside/build/tools" "$root$inside/build/layout"
	cp -a tests config hooks shim .github Makefile README.md LICENSE "$root$inside/"
	cp -a build/libsandglass.so build/sandglass "$root$inside/build/"
	[[ ! -e build/layout/libsandglass.so ]] || cp -a build/layout/libsandglass.so "$root$inside/build/layout/"
	[[ ! -d build/tools/server || -d $root$inside/build/tools/server ]] ||
		cp -a build/tools/server "$root$inside/build/tools/"
}

prepare() { possible && bootstrap && copy; }

furnish() { :; }

main() { # test [RESULTS] | run COMMAND..., as the scripts say
	local results layer
	case ${1:-} in
	test)
		results=${2:-build/test}
		mkdir -p "$results"
		if ! prepare; then
			echo "skip $release: ${why:-it could not be prepared}"
			echo "$release workers 0 0 1 0" >"$results/workers-$release.row"
			return 0
		fi
		enter "$inside" env JOBS="${JOBS:-}" PYTHON="${PYTHON:-}" CORE="${CORE:-none}" ELSEWHERE="${ELSEWHERE:-}" \
			PROGRAMS="${PROGRAMS:-50}" SEED="${SEED:-$([[ ${PROGRAMS:-} ]] && echo auto || echo 1)}" tests/run.sh "${suites[@]}" 2>&1 |
			grep -E '^(ok|FAIL|setup|run| )' | sed "s#repeat: #&tests/$release.sh run env #; s#cd $inside && #tests/$release.sh run env #"
		cp "$root$inside"/build/test/*.{row,log,repeat} "$results"/ 2>/dev/null
		sed -i "s#cd $inside && #tests/$release.sh run env #" "$results"/*.repeat 2>/dev/null
		for layer in "${layers[@]}"; do
			compgen -G "$root$inside/build/test/$layer-*.row" >/dev/null || echo "$release $layer 0 1 0 0" >"$results/$layer-$release.row"
		done
		;;
	run)
		shift
		prepare || { echo "$release: ${why:-it could not be prepared}" >&2; exit 1; }
		enter "$inside" "$@"
		;;
	*) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2 ;;
	esac
}
