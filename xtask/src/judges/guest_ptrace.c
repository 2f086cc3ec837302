/* What user-mode-linux 6.1 lacks in its use of ptrace; to be preloaded.
 *
 * - When it is killed, the processes of its guest would go on as processes of the host, with the
 *   host's files and whatever the guest's first process may do. They must die with it.
 * - It keeps a process's extended registers in a buffer that is shorter than what a processor
 *   with AMX has, and the host refuses to set registers from less than all of them. What the
 *   buffer lacks stays as it is: tile registers, which no guest of that age uses. */
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* The number of PTRACE_SETOPTIONS in old kernels, which both know. */
#define OLD_SETOPTIONS 21

static long set_registers(long pid, struct iovec *given)
{
	static char whole[1 << 16];
	struct iovec all = { whole, sizeof whole };

	if (syscall(SYS_ptrace, PTRACE_GETREGSET, pid, NT_X86_XSTATE, &all))
		return -1;
	if (given->iov_len >= all.iov_len)
		all = *given;
	else
		memcpy(whole, given->iov_base, given->iov_len);
	return syscall(SYS_ptrace, PTRACE_SETREGSET, pid, NT_X86_XSTATE, &all);
}

long ptrace(enum __ptrace_request request, ...)
{
	va_list rest;
	va_start(rest, request);
	long pid = va_arg(rest, int);
	long address = va_arg(rest, long);
	void *data = va_arg(rest, void *);
	va_end(rest);

	if (request == PTRACE_SETOPTIONS || request == OLD_SETOPTIONS)
		data = (void *)((long)data | PTRACE_O_EXITKILL);
	if (request == PTRACE_SETREGSET && address == NT_X86_XSTATE)
		return set_registers(pid, data);
	if (request < PTRACE_PEEKTEXT || request > PTRACE_PEEKUSER)
		return syscall(SYS_ptrace, request, pid, address, data);
	/* The system call stores what a peek reads; the library function returns it. */
	long word;
	if (syscall(SYS_ptrace, request, pid, address, &word))
		return -1;
	errno = 0;
	return word;
}
