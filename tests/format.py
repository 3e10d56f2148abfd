"""Are the C sources written as the house style has it? Prints what is not, one line each; exit status 1 where something is.

    tests/format.py [FILE...]     `make format-check`; without files, all that git knows, or that lie there

Tabs, which count eight, and blanks after them only to put what goes on below what it goes on from; 150 columns but for a
line of text; no blanks at the end of a line, no two empty lines; /* comments */; K&R braces; a file's own header before all
others; ours and the system's apart, and each sorted. Where a line is broken is left to who writes it: clang-format, at its nearest settings (no column limit), changes
2,000 lines, takes tables and Python in strings apart, and gives each half of a ?: chain a line of its own.
"""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WIDTH = 150

# What no line of code may have, comments and strings blanked out.
CODE = [(re.compile(pattern, re.M), says) for pattern, says in (
    (r"//", "comment is not /* */"),
    (r"\b(if|for|while|switch)\(", "no blank after the keyword"),
    (r"\breturn\(", "return is no function"),
    (r"\b(if|for|while|switch) \(.*\)\{|\b(else|do|struct|enum|union)\{|\}(else|while)\b", "no blank beside the brace"),
    (r"^\t+\}$\n\t+else\b", "else does not stand beside the brace before"),
    (r"^[a-z].*\)[ \t]*\{$", "function's brace is not on a line of its own"),
    (r"\b(if|for|while|switch) \([^\n]*\)\n\t+\{$|\b(else|do)\n\t+\{$", "brace is not on the line of its keyword"),
    (r"[A-Za-z_]\* [a-z_]", "the star of a pointer stands beside the name"),
    (r",[^\s_]", "no blank after the comma"),
    (r";[^\s;)]", "no blank after the semicolon"),
    (r"[\w)\]](==|!=|<=|>=|&&|\|\||[+\-*/|&%^]?=)(?!=)|(==|!=|<=|>=|&&|\|\||[+\-*/|&%^]=|(?<![=!<>])=)[\w(]", "no blank beside the operator"),
)]
LINES = [(re.compile(pattern, re.M), says) for pattern, says in (
    (r"[ \t]+$", "blanks at the end"),
    (r"^ +[^ *]|^\t* {8}", "indented with blanks"),
    (r"[^\t\n]\t", "a tab inside the line"),
    (r"\n\n\n", "two empty lines"),
)]


def blank(text):
    """The same with what stands in comments and literals, and directives, blanked out, so that columns stay."""
    pattern = r"/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|^[ \t]*#(?:\\\n|[^\n])*"
    return re.sub(pattern, lambda found: re.sub(r"[^\n]", "_" if found[0][0] in "\"'" else " ", found[0]), text, flags=re.S | re.M)


def includes(path, text):
    """Of neighbouring #include lines: which are not in order."""
    groups = re.findall(r"(?:^#include [<\"][^\n]*\n)+", text, flags=re.M)
    own = path.with_suffix(".h")
    for place, group in enumerate(groups):
        names = re.findall(r"^#include ([<\"][^>\"]*[>\"])", group, flags=re.M)
        if names != sorted(names) or len({name[0] for name in names}) > 1:
            yield text.index(group), "these includes are not sorted, or ours stand among the system's"
        if place == 0 and path.suffix == ".c" and (ROOT / own).exists() and f'"{own}"' in text and names != [f'"{own}"']:
            yield text.index(group), f"{own} is not the first"


def faults(path):
    text = (ROOT / path).read_text()
    for patterns, searched in ((LINES, text), (CODE, blank(text))):
        for pattern, says in patterns:
            yield from ((found.start(), says) for found in pattern.finditer(searched))
    if not text.endswith("\n") or text.endswith("\n\n"):
        yield len(text) - 1, "the file does not end with one newline"
    at = 0
    for line in text.split("\n"):
        if len(line.expandtabs(8)) > WIDTH and not line.lstrip().startswith('"'):
            yield at, f"longer than {WIDTH} columns"
        at += len(line) + 1
    yield from includes(path, text)


def main():
    listed = subprocess.run(["git", "ls-files", "*.c", "*.h"], cwd=ROOT, capture_output=True, text=True).stdout.split()
    paths = [Path(name) for name in sys.argv[1:] or listed] or sorted(
        path.relative_to(ROOT) for path in ROOT.glob("*/**/*.[ch]") if path.relative_to(ROOT).parts[0] != "build")
    bad = 0
    for path in paths:
        text = (ROOT / path).read_text()
        for at, says in sorted(set(faults(path))):
            print(f"{path}:{text.count(chr(10), 0, at) + 1}: {says}")
            bad += 1
    print(f"{len(paths)} files, {bad} places are not as the style has it")
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
