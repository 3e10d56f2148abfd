# Sourced by the shell suites. They set passed=0 failed=0 before and close with "N passed, N failed" themselves. ONLY=TEXT:
# only the checks whose name holds it.

# check NAME EXPECTED ACTUAL
check() {
	case $1 in *"${ONLY:-}"*) ;; *) return ;; esac
	if [ "$2" = "$3" ]; then
		passed=$((passed + 1))
		echo "ok   $1"
	else
		failed=$((failed + 1))
		echo "FAIL $1"
		printf '%s\n' "$2" | sed 's/^/       expected: /'
		printf '%s\n' "$3" | sed 's/^/       got:      /'
	fi
}

# has NAME TEXT ACTUAL: the text is part of it.
has() {
	case $3 in *"$2"*) check "$1" yes yes ;; *) check "$1" "... $2 ..." "$3" ;; esac
}
