#include "config/command/entries.h"

#include "config/names.h"

#include <errno.h>
#include <string.h>

static struct sg_entry entries[SG_ENTRIES_MAX];
static size_t entry_count, hooked_count;
static struct sg_names index_of;

/* A family of rows, what the configuration calls it, and what its entries count as if nothing below says otherwise. */
static const struct family {
	const char *name;
	enum sg_native_family native;
	enum sg_verdict verdict;
	const char *reason;
} families[] = {
	{"clock", SG_NATIVE_CLOCK, SG_VERDICT_UNSAFE, "reads a clock"},
	{"monotonic", SG_NATIVE_MONOTONIC, SG_VERDICT_DEPENDS, "measures or waits"},
	{"sleep", SG_NATIVE_SLEEP, SG_VERDICT_DEPENDS, "sleeps or sets a timer"},
	{"random", SG_NATIVE_RANDOM, SG_VERDICT_UNSAFE, "draws random numbers of the system or process"},
	{"environment", SG_NATIVE_ENVIRONMENT, SG_VERDICT_DEPENDS, "reads or changes the environment"},
	{"file", SG_NATIVE_FILE, SG_VERDICT_DEPENDS, "uses files"},
	{"network", SG_NATIVE_NETWORK, SG_VERDICT_UNSAFE, "uses the network"},
	{"exec", SG_NATIVE_PROCESS, SG_VERDICT_UNSAFE, "starts programs"},
	{"spawn", SG_NATIVE_PROCESS, SG_VERDICT_UNSAFE, "starts programs"},
	{"process", SG_NATIVE_PROCESS, SG_VERDICT_UNSAFE, "starts or steers processes"},
	{"thread", SG_NATIVE_THREAD, SG_VERDICT_DEPENDS, "starts threads"},
	{"host", SG_NATIVE_HOST, SG_VERDICT_DEPENDS, "asks about host, user or process"},
	{"pool", SG_NATIVE_POOL, SG_VERDICT_DEPENDS, "asks how many processors there are, or which thread it is"},
	{"syscall", SG_NATIVE_PROCESS, SG_VERDICT_DEPENDS, "makes system calls by number"},
	{"loader", SG_NATIVE_FILE, SG_VERDICT_DEPENDS, "loads code that is named at run time"},
	{"namespace", SG_NATIVE_FILE, SG_VERDICT_UNSAFE, "loads code where a preload does not reach"},
};

#define FAMILY_COUNT (sizeof(families) / sizeof(families[0]))

/* Rows whose verdict differs from their family's: what they do lies in their arguments. */
static const char *const by_arguments[] = {
	"clock_gettime", "__clock_gettime", "timespec_get", "localtime", "localtime_r", "mktime",
			"timelocal",
	"ctime", "ctime_r", "clock", "times", "getrusage", "send", "__send", "sendto", "sendmsg",
	"sendmmsg",
	"__sendmmsg", "recv", "__recv", "__recv_chk", "recvfrom", "__recvfrom_chk", "recvmsg", "recvmmsg",
	"getservbyname", "getservbyport", "if_nametoindex", "if_indextoname", "kill", "killpg", NULL
};

/* Not of libc. */
static const struct sg_entry_row others[] = {
	{"clock", "PyTime_Time"},
	{"clock", "PyTime_TimeRaw"},
	{"clock", "_PyTime_GetSystemClock"},
	{"clock", "_PyTime_GetSystemClockWithInfo"},
	{"clock", "_PyTime_TimeUnchecked"},
	{"monotonic", "PyTime_Monotonic"},
	{"monotonic", "PyTime_MonotonicRaw"},
	{"monotonic", "PyTime_PerfCounter"},
	{"monotonic", "PyTime_PerfCounterRaw"},
	{"monotonic", "_PyTime_GetMonotonicClock"},
	{"monotonic", "_PyTime_GetPerfCounter"},
	{"random", "_PyOS_URandom"},
	{"random", "_PyOS_URandomNonblock"},
	{"random", "RAND_bytes"},
	{"random", "RAND_bytes_ex"},
	{"random", "RAND_priv_bytes"},
	{"random", "RAND_priv_bytes_ex"},
	{"random", "RAND_pseudo_bytes"},
	{"random", "randombytes_buf"},
	{"random", "randombytes_random"},
	{"random", "randombytes_uniform"},
	{"random", "gnutls_rnd"},
	{"random", "gcry_randomize"},
	{"random", "gcry_create_nonce"},
	{"random", "uuid_generate"},
	{"random", "uuid_generate_random"},
	{"random", "uuid_generate_time"},
	{"random", "uuid_generate_time_safe"},
	{"random", "sqlite3_randomness"},
	{"network", "curl_easy_perform"},
	{"network", "curl_multi_perform"},
	{"network", "PQconnectdb"},
	{"network", "PQconnectStart"},
	{"network", "PQconnectdbParams"},
	{"network", "mysql_real_connect"},
	{"network", "SSL_connect"},
	{"thread", "PyThread_start_new_thread"},
	{"loader", "dlopen"},
	{"namespace", "dlmopen"},
	{NULL, NULL}
};

/* Of libstdc++ and libc++: as the linker calls them (Itanium ABI), and as people do. */
static const struct {
	struct sg_entry_row row;
	const char *shown;
} cpp[] = {
	{{"clock", "_ZNSt6chrono3_V212system_clock3nowEv"}, "std::chrono::system_clock::now"},
	{{"clock", "_ZNSt6chrono12system_clock3nowEv"}, "std::chrono::system_clock::now"},
	{{"clock", "_ZNSt3__16chrono12system_clock3nowEv"}, "std::chrono::system_clock::now"},
	{{"monotonic", "_ZNSt6chrono3_V212steady_clock3nowEv"}, "std::chrono::steady_clock::now"},
	{{"monotonic", "_ZNSt6chrono12steady_clock3nowEv"}, "std::chrono::steady_clock::now"},
	{{"monotonic", "_ZNSt3__16chrono12steady_clock3nowEv"}, "std::chrono::steady_clock::now"},
	{{"random", "_ZNSt13random_device9_M_getvalEv"}, "std::random_device"},
	{{"random", "_ZNSt13random_device16_M_getval_pretr1Ev"}, "std::random_device"},
	{{"random", "_ZNSt3__113random_deviceclEv"}, "std::random_device"},
	{{"thread",
	"_ZNSt6thread15_M_start_threadESt10unique_ptrINS_6_StateESt14default_deleteIS1_EEPFvvE"},
	"std::thread"},
	{{"file", "_ZNSt12__basic_fileIcE4openEPKcSt13_Ios_Openmodei"}, "std::__basic_file::open"},
	{{"file",
	"_ZNSt13basic_filebufIcSt11char_traitsIcEE4openEPKcSt13_Ios_Openmode"},
	"std::filebuf::open"},
	{{"file", "_ZNSt14basic_ifstreamIcSt11char_traitsIcEEC1EPKcSt13_Ios_Openmode"}, "std::ifstream"},
	{{"file",
	"_ZNSt14basic_ifstreamIcSt11char_traitsIcEEC1ERKNSt7__cxx1112basic_stringIcS1_SaIcEEESt13_Ios_Openmode"},
	"std::ifstream"},
	{{"file", "_ZNSt14basic_ofstreamIcSt11char_traitsIcEEC1EPKcSt13_Ios_Openmode"}, "std::ofstream"},
	{{"file",
	"_ZNSt14basic_ofstreamIcSt11char_traitsIcEEC1ERKNSt7__cxx1112basic_stringIcS1_SaIcEEESt13_Ios_Openmode"},
	"std::ofstream"},
	{{"file", "_ZNSt10filesystem6statusERKNS_7__cxx114pathE"}, "std::filesystem::status"},
	{{"file", "_ZNSt10filesystem12current_pathB5cxx11Ev"}, "std::filesystem::current_path"},
	{{NULL, NULL}, NULL}
};

static const struct family *family_named(const char *name)
{
	for (size_t i = 0; i < FAMILY_COUNT; i++)
		if (strcmp(families[i].name, name) == 0)
			return &families[i];
	return NULL;
}

static int add(const struct sg_entry_row *row, const char *shown)
{
	const struct family *family = family_named(row->family);
	struct sg_entry *entry = &entries[entry_count];
	int error;

	/* Interposed for our own sake: nobody is judged by them. */
	if (strcmp(row->family, "signal") == 0)
		return 0;
	if (entry_count == SG_ENTRIES_MAX)
		return -ENOSPC;
	error = sg_names_add(&index_of, row->name, entry_count);
	if (error)
		return error == -EEXIST ? 0 : error; /* the C library's row comes first */
	/* A family that the hooks have and this table has not: reported, and judged by its name alone. */
	*entry = (struct sg_entry){row->name, shown, row->family, family ? family->native : SG_NATIVE_PROCESS,
			family ? family->verdict : SG_VERDICT_DEPENDS};
	for (size_t i = 0; by_arguments[i]; i++)
		if (strcmp(by_arguments[i], row->name) == 0)
			entry->verdict = SG_VERDICT_DEPENDS;
	entry_count++;
	return 0;
}

int sg_entries_init(void)
{
	int error = 0;

	for (size_t i = 0; sg_entry_rows[i].name && !error; i++)
		error = add(&sg_entry_rows[i], sg_entry_rows[i].name);
	hooked_count = entry_count;
	for (size_t i = 0; others[i].name && !error; i++)
		error = add(&others[i], others[i].name);
	for (size_t i = 0; cpp[i].row.name && !error; i++)
		error = add(&cpp[i].row, cpp[i].shown);
	return error;
}

void sg_entries_release(void)
{
	sg_names_release(&index_of);
	entry_count = 0;
}

size_t sg_entries_count(void)
{
	return entry_count;
}

const struct sg_entry *sg_entries_at(size_t index)
{
	return &entries[index];
}

int sg_entries_find(const char *name)
{
	size_t index;

	return sg_names_find(&index_of, name, &index) ? (int)index : -1;
}

bool sg_entries_hooked(int index)
{
	return index >= 0 && (size_t)index < hooked_count;
}

const char *sg_entries_reason(const char *family)
{
	const struct family *found = family_named(family);

	return found ? found->reason : "calls functions that a preload judges";
}

const char *sg_verdict_text(enum sg_verdict verdict)
{
	static const char *const texts[] = {"safe to pass through", "depends on arguments", "not safe"};

	return texts[verdict];
}

const char *sg_verdict_word(enum sg_verdict verdict)
{
	static const char *const words[] = {"safe", "depends", "unsafe"};

	return words[verdict];
}
