# What the audit must count, and bytes that only look like it.
	.text
	.globl real
	.type real, @function
real:
	.cfi_startproc
	syscall                 # 1
	rdtsc                   # 1
	lfence
	rdtscp                  # 2
	rdrand %rax             # 1
	rdrand %r9d             # 2
	rdseed %ax              # 1
	int $0x80               # syscall 2
	ret
	.cfi_endproc
	.size real, .-real

	.globl decoys
	.type decoys, @function
decoys:
	.cfi_startproc
	mov $0x0000050f, %eax           # 0f 05 in an immediate
	movabs $0x310f050f0f310f05, %rcx
	lea 0x310f(%rax), %rdx          # ... in a displacement
	or $0x80, %r13b                 # cd 80
	addb $0x31, 0x0f(%rax,%rbx)
	mov $0xf0c70f00, %esi           # rdrand
	rdpid %rax                      # rdseed's bytes after another prefix
	ret
	.cfi_endproc
	.size decoys, .-decoys
	# No unwind table says where this begins, and it is far from what one is about.
	.skip 8192, 0x90
	.globl bare
bare:
	rdtsc                           # 3
	push %rbx
	mov $0x0000050f, %ebx
	movabs $0x310f050f0f310f05, %rcx
	lea 0x310f(%rax), %rdx
	or $0x80, %r13b
	mov $0xf0c70f00, %esi
	add $0x050f, %rbx
	pop %rbx
	ret
	.skip 64, 0x90
	.section .rodata
	.rept 4000
	.byte 0x0f, 0x05, 0x0f, 0x31, 0x0f, 0xc7, 0xf0, 0xcd, 0x80
	.endr
	.section .note.GNU-stack,"",@progbits
