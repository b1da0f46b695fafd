// SPDX-License-Identifier: Apache-2.0
//
// The system call exit(0), without any library.

    .globl _start
_start:
#if defined(__x86_64__)
    xor %edi, %edi
    mov $60, %eax
    syscall
#elif defined(__aarch64__)
    mov x0, #0
    mov x8, #93
    svc #0
#endif
    .section .note.GNU-stack, "", %progbits
