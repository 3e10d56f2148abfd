#include "shim/native/tsc.h"

#include "shim/base/raw.h"

#include <sys/prctl.h>

__thread bool sg_tsc_caught;

bool sg_tsc_catch(void)
{
	return sg_raw_syscall(SYS_prctl, PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0) == 0;
}

bool sg_tsc_release(void)
{
	return sg_raw_syscall(SYS_prctl, PR_SET_TSC, PR_TSC_ENABLE, 0, 0) == 0;
}
