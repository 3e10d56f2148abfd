"""Makes damaged, packed and packaged files out of compiled ones: samples.py DIRECTORY. Run by run.sh."""
import os
import random
import struct
import sys
import zipfile

os.chdir(sys.argv[1])
unsafe = open("unsafe.so", "rb").read()


def write(name, data):
    os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
    with open(name, "wb") as file:
        file.write(data)


def wheel(name, members, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(name, "w", method) as archive:
        for member, data in members.items():
            archive.writestr(member, data)
    with open(name, "rb") as file:
        return file.read()


# e_shoff, e_shnum and e_shstrndx of a 64-bit header.
stripped = bytearray(unsafe)
stripped[0x28:0x30] = bytes(8)
stripped[0x3C:0x40] = bytes(4)
write("stripped.so", stripped)
write("upx.so", unsafe + b"UPX!" + bytes(32))
write("sections.so", unsafe[:0x28] + struct.pack("<Q", 64) + unsafe[0x30:0x3C] + bytes(4) + b"\xff" * 300 + unsafe[364:])
write("code.bin", random.Random(1).randbytes(1 << 17))
for size in (1, 4, 16, 20, 63, 64, 65, 120, 500, 1000, 4096, len(unsafe) // 2):
    write("truncated/%05d.so" % size, unsafe[:size])
write("foreign.so", unsafe[:18] + struct.pack("<H", 243) + unsafe[20:])

members = {
    "acme/fast.abi3.so": unsafe,
    "acme/__init__.py": b"",
    "acme_tools-1.5.dist-info/RECORD": b"acme/fast.abi3.so,,\n",
}
good = wheel("acme_tools-1.5-py3-none-any.whl", members)
wheel("stored-1-py3-none-any.whl", members, zipfile.ZIP_STORED)
write("cut-1-py3-none-any.whl", good[: len(good) // 2])
flipped = bytearray(good)
flipped[300] ^= 0xFF  # within the deflated object
write("flipped-1-py3-none-any.whl", flipped)
with zipfile.ZipFile("locked-1-py3-none-any.whl", "w") as archive:
    archive.writestr("a.so", unsafe)
locked = bytearray(open("locked-1-py3-none-any.whl", "rb").read())
locked[6] |= 1
locked[locked.rfind(b"PK\1\2") + 8] |= 1
write("locked-1-py3-none-any.whl", locked)
wheel("strange-1-py3-none-any.whl", {"../../etc/\x1b[31m.so": unsafe, "b/\udcff.so".encode("utf-8", "replace").decode(): unsafe})

# An environment as installers leave it.
site = "venv/lib/python3.11/site-packages/"
write(site + "one/_one.so", unsafe)
write(site + "shared_top.so", open("safe.so", "rb").read())
write(site + "odd,name/x.so", open("depends.so", "rb").read())
write("venv/bin/tool", open("program", "rb").read())
write(site + "one.libs/libhelp.so.1", open("safe.so", "rb").read())
write(site + "One_Dist-2.0.dist-info/RECORD", b"one/_one.so,sha256=x,1\r\n../../../bin/tool,,\r\n")
write(site + "Top-0.1.dist-info/RECORD", b'shared_top.so,,\n"odd,name/x.so",,\n' + b"x" * 100000 + b"\n")
os.makedirs(site + "Broken-1.dist-info")
os.symlink("RECORD", site + "Broken-1.dist-info/RECORD")
os.symlink("lib", "venv/lib64")

# What lies in wait in a directory.
os.makedirs("hostile")
os.symlink("loop", "hostile/loop")
os.symlink("..", "hostile/up")
os.symlink("nowhere.so", "hostile/dangling.so")
os.mkfifo("hostile/fifo.so")
write("hostile/empty.so", b"")
write("hostile/text.so", b"not an object")
write("hostile/new\nline.so", b"not an object")
write("hostile/readme.txt", b"text")
os.makedirs("deep")
here = os.open("deep", os.O_RDONLY)
for _ in range(150):
    os.mkdir("d" * 200, dir_fd=here)
    inner = os.open("d" * 200, os.O_RDONLY, dir_fd=here)
    os.close(here)
    here = inner
os.makedirs("many")
for number in range(20000):
    os.symlink("../unsafe.so", "many/%d.so" % number)
with open("sparse.so", "wb") as file:
    file.write(unsafe)
    file.truncate(1 << 42 if os.environ.get("HUGE") else 1 << 33)
