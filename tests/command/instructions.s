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
	# A long function of vectors: read from the middle, its bytes make other instructions that agree with each other.
	.globl vectors
	.type vectors, @function
vectors:
	.cfi_startproc
	.skip 8192, 0x90
	.byte 0x62, 0xb3, 0x7d, 0x28, 0x39, 0xc1, 0x01                  # vextracti32x4 $1, %ymm0, %xmm17
	.byte 0x62, 0xb1, 0xfd, 0x08, 0xef, 0xc1                        # vpxorq %xmm17, %xmm0, %xmm0
	.byte 0x62, 0xb3, 0xfd, 0x48, 0x3b, 0xdb, 0x01                  # vextracti64x4 $1, %zmm3, %ymm19
	.byte 0x62, 0xb1, 0xe5, 0x28, 0xef, 0xdb                        # vpxorq %ymm19, %ymm3, %ymm3
	.byte 0x62, 0xb3, 0x7d, 0x28, 0x39, 0xdb, 0x01                  # vextracti32x4 $1, %ymm3, %xmm19
	.byte 0x62, 0xb1, 0xe5, 0x08, 0xef, 0xdb                        # vpxorq %xmm19, %xmm3, %xmm3
	.byte 0x62, 0xe1, 0xfd, 0x08, 0x6f, 0x25, 0x0f, 0x34, 0x1d, 0x00 # vmovdqa64 0x1d340f(%rip), %xmm20
	.byte 0x62, 0xf3, 0x5d, 0x00, 0x44, 0xe3, 0x01                  # vpclmulhqlqdq %xmm3, %xmm20, %xmm4
	.byte 0xc5, 0xd9, 0x73, 0xfc, 0x08                              # vpslldq $8, %xmm4, %xmm4
	rdtscp                          # 4, and it is still found
	ret
	.cfi_endproc
	.size vectors, .-vectors
	# Constants in the midst of a function: what is behind them is told by its surroundings.
	.globl constants
	.type constants, @function
constants:
	.cfi_startproc
	jmp 1f
	.byte 0x06, 0x06, 0x06, 0x06
1:	.skip 64, 0x90
	rdtsc                           # 5
	.skip 64, 0x90
	ret
	.cfi_endproc
	.size constants, .-constants
	.skip 64, 0x90
	.section .rodata
	.rept 4000
	.byte 0x0f, 0x05, 0x0f, 0x31, 0x0f, 0xc7, 0xf0, 0xcd, 0x80
	.endr
	.section .note.GNU-stack,"",@progbits
