/* Files by name, and what else has a name in the system: see hooks/rows.h for the columns. */

HOOK_VARIADIC(file, REQ, int, open, (const char *path, int flags, ...))
HOOK_VARIADIC(file, REQ, int, open64, (const char *path, int flags, ...))
HOOK_VARIADIC(file, OPT, int, __open, (const char *path, int flags, ...))
HOOK_VARIADIC(file, OPT, int, __open64, (const char *path, int flags, ...))
HOOK_VARIADIC(file, REQ, int, openat, (int directory, const char *path, int flags, ...))
HOOK_VARIADIC(file, REQ, int, openat64, (int directory, const char *path, int flags, ...))
HOOK(file, OPT, int, __open_2, (const char *path, int flags), (path, flags))
HOOK(file, OPT, int, __openat_2,
		(int directory, const char *path, int flags),
		(directory, path, flags))
HOOK(file, OPT, int, __open64_2, (const char *path, int flags), (path, flags))
HOOK(file, OPT, int, __openat64_2,
		(int directory, const char *path, int flags),
		(directory, path, flags))
HOOK(file, REQ, int, creat, (const char *path, mode_t mode), (path, mode))
HOOK_VARIADIC(file, REQ, FILE *, fopen,
		(const char *restrict path, const char *restrict mode))
HOOK(file, REQ, FILE *, freopen,
		(const char *restrict path, const char *restrict mode, FILE *restrict stream),
		(path, mode, stream))
HOOK(file, REQ, FILE *, tmpfile, (void), ())
HOOK(file, REQ, int, creat64, (const char *path, mode_t mode), (path, mode))
HOOK_VARIADIC(file, REQ, FILE *, fopen64,
		(const char *restrict path, const char *restrict mode))
HOOK(file, REQ, FILE *, freopen64,
		(const char *restrict path, const char *restrict mode, FILE *restrict stream),
		(path, mode, stream))
HOOK(file, REQ, FILE *, tmpfile64, (void), ())
HOOK(file, REQ, int, open_by_handle_at,
		(int mount, struct file_handle *handle, int flags),
		(mount, handle, flags))
HOOK(file, REQ, int, name_to_handle_at,
		(int directory, const char *path, struct file_handle *handle, int *ret_mount,
		 int flags),
		(directory, path, handle, ret_mount, flags))
HOOK(file, REQ, DIR *, opendir, (const char *path), (path))
HOOK(file, REQ, int, scandir,
		(const char *restrict path, struct dirent ***restrict ret_list, int
		 (*wanted)(const struct dirent *), int (*compare)(const struct dirent **, const
		 struct dirent **)),
		(path, ret_list, wanted, compare))
HOOK(file, REQ, int, scandirat,
		(int directory, const char *restrict path, struct dirent ***restrict ret_list,
		 int (*wanted)(const struct dirent *), int (*compare)(const struct dirent **,
		 const struct dirent **)),
		(directory, path, ret_list, wanted, compare))
HOOK(file, REQ, int, ftw,
		(const char *path, __ftw_func_t each, int descriptors),
		(path, each, descriptors))
HOOK(file, REQ, int, nftw,
		(const char *path, __nftw_func_t each, int descriptors, int flags),
		(path, each, descriptors, flags))
HOOK(file, REQ, FTS *, fts_open,
		(char *const *paths, int options, int (*compare)(const FTSENT **, const FTSENT
		 **)),
		(paths, options, compare))
HOOK(file, REQ, int, glob,
		(const char *restrict pattern, int flags, int (*failed)(const char *, int),
		 glob_t *restrict ret_list),
		(pattern, flags, failed, ret_list))
HOOK(file, REQ, int, scandir64,
		(const char *restrict path, struct dirent64 ***restrict ret_list, int
		 (*wanted)(const struct dirent64 *), int (*compare)(const struct dirent64 **,
		 const struct dirent64 **)),
		(path, ret_list, wanted, compare))
HOOK(file, REQ, int, scandirat64,
		(int directory, const char *restrict path, struct dirent64 ***restrict
		 ret_list, int (*wanted)(const struct dirent64 *), int (*compare)(const struct
		 dirent64 **, const struct dirent64 **)),
		(directory, path, ret_list, wanted, compare))
HOOK(file, REQ, int, ftw64,
		(const char *path, __ftw64_func_t each, int descriptors),
		(path, each, descriptors))
HOOK(file, REQ, int, nftw64,
		(const char *path, __nftw64_func_t each, int descriptors, int flags),
		(path, each, descriptors, flags))
HOOK(file, REQ, FTS64 *, fts64_open,
		(char *const *paths, int options, int (*compare)(const FTSENT64 **, const
		 FTSENT64 **)),
		(paths, options, compare))
HOOK(file, REQ, int, glob64,
		(const char *restrict pattern, int flags, int (*failed)(const char *, int),
		 glob64_t *restrict ret_list),
		(pattern, flags, failed, ret_list))
HOOK(file, OPT, int, stat,
		(const char *restrict path, struct stat *restrict ret_status),
		(path, ret_status))
HOOK(file, OPT, int, lstat,
		(const char *restrict path, struct stat *restrict ret_status),
		(path, ret_status))
HOOK(file, OPT, int, fstatat,
		(int directory, const char *restrict path, struct stat *restrict ret_status,
		 int flags),
		(directory, path, ret_status, flags))
HOOK(file, OPT, int, __xstat,
		(int version, const char *path, struct stat *ret_status),
		(version, path, ret_status))
HOOK(file, OPT, int, __lxstat,
		(int version, const char *path, struct stat *ret_status),
		(version, path, ret_status))
HOOK(file, OPT, int, __fxstatat,
		(int version, int directory, const char *path, struct stat *ret_status, int
		 flags),
		(version, directory, path, ret_status, flags))
HOOK(file, REQ, int, statfs, (const char *path, struct statfs *ret_status), (path, ret_status))
HOOK(file, REQ, int, statvfs,
		(const char *restrict path, struct statvfs *restrict ret_status),
		(path, ret_status))
HOOK(file, OPT, int, stat64,
		(const char *restrict path, struct stat64 *restrict ret_status),
		(path, ret_status))
HOOK(file, OPT, int, lstat64,
		(const char *restrict path, struct stat64 *restrict ret_status),
		(path, ret_status))
HOOK(file, OPT, int, fstatat64,
		(int directory, const char *restrict path, struct stat64 *restrict ret_status,
		 int flags),
		(directory, path, ret_status, flags))
HOOK(file, OPT, int, __xstat64,
		(int version, const char *path, struct stat64 *ret_status),
		(version, path, ret_status))
HOOK(file, OPT, int, __lxstat64,
		(int version, const char *path, struct stat64 *ret_status),
		(version, path, ret_status))
HOOK(file, OPT, int, __fxstatat64,
		(int version, int directory, const char *path, struct stat64 *ret_status, int
		 flags),
		(version, directory, path, ret_status, flags))
HOOK(file, REQ, int, statfs64,
		(const char *path, struct statfs64 *ret_status),
		(path, ret_status))
HOOK(file, REQ, int, statvfs64,
		(const char *restrict path, struct statvfs64 *restrict ret_status),
		(path, ret_status))
HOOK(file, OPT, int, __statfs,
		(const char *path, struct statfs *ret_status),
		(path, ret_status))
HOOK(file, REQ, int, statx,
		(int directory, const char *restrict path, int flags, unsigned int mask,
		 struct statx *restrict ret_status),
		(directory, path, flags, mask, ret_status))
HOOK(file, REQ, int, access, (const char *path, int mode), (path, mode))
HOOK(file, REQ, int, faccessat,
		(int directory, const char *path, int mode, int flags),
		(directory, path, mode, flags))
HOOK(file, REQ, int, euidaccess, (const char *path, int mode), (path, mode))
HOOK(file, REQ, int, eaccess, (const char *path, int mode), (path, mode))
HOOK(file, REQ, ssize_t, readlink,
		(const char *restrict path, char *restrict ret_target, size_t size),
		(path, ret_target, size))
HOOK(file, OPT, ssize_t, __readlink_chk,
		(const char *restrict path, char *restrict ret_target, size_t size, size_t
		 room),
		(path, ret_target, size, room))
HOOK(file, REQ, ssize_t, readlinkat,
		(int directory, const char *restrict path, char *restrict ret_target, size_t
		 size),
		(directory, path, ret_target, size))
HOOK(file, OPT, ssize_t, __readlinkat_chk,
		(int directory, const char *restrict path, char *restrict ret_target, size_t
		 size, size_t room),
		(directory, path, ret_target, size, room))
HOOK(file, REQ, char *, realpath,
		(const char *restrict path, char *restrict ret_path),
		(path, ret_path))
HOOK(file, OPT, char *, __realpath_chk,
		(const char *path, char *ret_path, size_t room),
		(path, ret_path, room))
HOOK(file, REQ, char *, canonicalize_file_name, (const char *path), (path))
HOOK(file, REQ, char *, getcwd, (char *ret_path, size_t size), (ret_path, size))
HOOK(file, OPT, char *, __getcwd_chk,
		(char *ret_path, size_t size, size_t room),
		(ret_path, size, room))
HOOK(file, REQ, char *, getwd, (char *ret_path), (ret_path))
HOOK(file, OPT, char *, __getwd_chk, (char *ret_path, size_t room), (ret_path, room))
HOOK(file, REQ, char *, get_current_dir_name, (void), ())
HOOK(file, REQ, int, chdir, (const char *path), (path))
HOOK(file, REQ, int, fchdir, (int directory), (directory))
HOOK(file, REQ, int, chroot, (const char *path), (path))
HOOK(file, REQ, int, mkdir, (const char *path, mode_t mode), (path, mode))
HOOK(file, REQ, int, mkfifo, (const char *path, mode_t mode), (path, mode))
HOOK(file, OPT, int, mknod, (const char *path, mode_t mode, dev_t device), (path, mode, device))
HOOK(file, REQ, int, chmod, (const char *path, mode_t mode), (path, mode))
HOOK(file, REQ, int, chown, (const char *path, uid_t user, gid_t group), (path, user, group))
HOOK(file, REQ, int, link, (const char *from, const char *to), (from, to))
HOOK(file, REQ, int, symlink, (const char *from, const char *to), (from, to))
HOOK(file, REQ, int, rename, (const char *from, const char *to), (from, to))
HOOK(file, REQ, int, unlink, (const char *path), (path))
HOOK(file, REQ, int, rmdir, (const char *path), (path))
HOOK(file, REQ, int, remove, (const char *path), (path))
HOOK(file, REQ, int, lchown, (const char *path, uid_t user, gid_t group), (path, user, group))
HOOK(file, REQ, int, lchmod, (const char *path, mode_t mode), (path, mode))
HOOK(file, REQ, int, mkdirat,
		(int directory, const char *path, mode_t mode),
		(directory, path, mode))
HOOK(file, REQ, int, mkfifoat,
		(int directory, const char *path, mode_t mode),
		(directory, path, mode))
HOOK(file, OPT, int, mknodat,
		(int directory, const char *path, mode_t mode, dev_t device),
		(directory, path, mode, device))
HOOK(file, REQ, int, fchmodat,
		(int directory, const char *path, mode_t mode, int flags),
		(directory, path, mode, flags))
HOOK(file, REQ, int, fchownat,
		(int directory, const char *path, uid_t user, gid_t group, int flags),
		(directory, path, user, group, flags))
HOOK(file, REQ, int, linkat,
		(int from_directory, const char *from, int to_directory, const char *to, int
		 flags),
		(from_directory, from, to_directory, to, flags))
HOOK(file, REQ, int, symlinkat,
		(const char *from, int directory, const char *to),
		(from, directory, to))
HOOK(file, REQ, int, renameat,
		(int from_directory, const char *from, int to_directory, const char *to),
		(from_directory, from, to_directory, to))
HOOK(file, REQ, int, renameat2,
		(int from_directory, const char *from, int to_directory, const char *to,
		 unsigned int flags),
		(from_directory, from, to_directory, to, flags))
HOOK(file, REQ, int, unlinkat,
		(int directory, const char *path, int flags),
		(directory, path, flags))
HOOK(file, OPT, int, __xmknod,
		(int version, const char *path, mode_t mode, dev_t *device),
		(version, path, mode, device))
HOOK(file, OPT, int, __xmknodat,
		(int version, int directory, const char *path, mode_t mode, dev_t *device),
		(version, directory, path, mode, device))
HOOK(file, REQ, int, truncate, (const char *path, off_t size), (path, size))
HOOK(file, REQ, int, truncate64, (const char *path, off64_t size), (path, size))
HOOK(file, REQ, int, utime, (const char *path, const struct utimbuf *times), (path, times))
HOOK(file, REQ, int, utimes, (const char *path, const struct timeval times[2]), (path, times))
HOOK(file, REQ, int, lutimes, (const char *path, const struct timeval times[2]), (path, times))
HOOK(file, REQ, int, futimesat,
		(int directory, const char *path, const struct timeval times[2]),
		(directory, path, times))
HOOK(file, REQ, int, utimensat,
		(int directory, const char *path, const struct timespec times[2], int flags),
		(directory, path, times, flags))
HOOK(file, REQ, int, mkstemp, (char *template), (template))
HOOK(file, REQ, int, mkstemps, (char *template, int suffix), (template, suffix))
HOOK(file, REQ, int, mkostemp, (char *template, int flags), (template, flags))
HOOK(file, REQ, int, mkostemps,
		(char *template, int suffix, int flags),
		(template, suffix, flags))
HOOK(file, REQ, int, mkstemp64, (char *template), (template))
HOOK(file, REQ, int, mkstemps64, (char *template, int suffix), (template, suffix))
HOOK(file, REQ, int, mkostemp64, (char *template, int flags), (template, flags))
HOOK(file, REQ, int, mkostemps64,
		(char *template, int suffix, int flags),
		(template, suffix, flags))
HOOK(file, REQ, char *, mkdtemp, (char *template), (template))
HOOK(file, REQ, char *, mktemp, (char *template), (template))
HOOK(file, REQ, char *, tmpnam, (char ret_name[L_tmpnam]), (ret_name))
HOOK(file, REQ, char *, tmpnam_r, (char ret_name[L_tmpnam]), (ret_name))
HOOK(file, REQ, char *, tempnam,
		(const char *directory, const char *prefix),
		(directory, prefix))
HOOK(file, REQ, long, pathconf, (const char *path, int name), (path, name))
HOOK(file, REQ, ssize_t, getxattr,
		(const char *path, const char *name, void *ret_value, size_t size),
		(path, name, ret_value, size))
HOOK(file, REQ, ssize_t, listxattr,
		(const char *path, char *ret_list, size_t size),
		(path, ret_list, size))
HOOK(file, REQ, int, setxattr,
		(const char *path, const char *name, const void *value, size_t size, int
		 flags),
		(path, name, value, size, flags))
HOOK(file, REQ, int, removexattr, (const char *path, const char *name), (path, name))
HOOK(file, REQ, ssize_t, lgetxattr,
		(const char *path, const char *name, void *ret_value, size_t size),
		(path, name, ret_value, size))
HOOK(file, REQ, ssize_t, llistxattr,
		(const char *path, char *ret_list, size_t size),
		(path, ret_list, size))
HOOK(file, REQ, int, lsetxattr,
		(const char *path, const char *name, const void *value, size_t size, int
		 flags),
		(path, name, value, size, flags))
HOOK(file, REQ, int, lremovexattr, (const char *path, const char *name), (path, name))
HOOK(file, OPT, int, shm_open, (const char *name, int flags, mode_t mode), (name, flags, mode))
HOOK(file, OPT, int, shm_unlink, (const char *name), (name))
HOOK_VARIADIC(file, REQ, sem_t *, sem_open, (const char *name, int flags, ...))
HOOK(file, REQ, int, sem_unlink, (const char *name), (name))
HOOK_VARIADIC(file, OPT, mqd_t, mq_open, (const char *name, int flags, ...))
HOOK(file, OPT, mqd_t, __mq_open_2, (const char *name, int flags), (name, flags))
HOOK(file, OPT, int, mq_unlink, (const char *name), (name))
HOOK(file, REQ, int, memfd_create, (const char *name, unsigned int flags), (name, flags))
HOOK(file, REQ, int, shmget, (key_t key, size_t size, int flags), (key, size, flags))
HOOK(file, REQ, int, semget, (key_t key, int count, int flags), (key, count, flags))
HOOK(file, REQ, int, msgget, (key_t key, int flags), (key, flags))
HOOK(file, REQ, key_t, ftok, (const char *path, int project), (path, project))
HOOK(file, REQ, int, inotify_add_watch,
		(int descriptor, const char *path, uint32_t mask),
		(descriptor, path, mask))
HOOK(file, REQ, int, fanotify_mark,
		(int descriptor, unsigned int flags, uint64_t mask, int directory, const char
		 *path),
		(descriptor, flags, mask, directory, path))
HOOK(file, REQ, int, posix_openpt, (int flags), (flags))
HOOK(file, REQ, int, getpt, (void), ())
HOOK(file, OPT, int, openpty,
		(int *ret_main, int *ret_other, char *ret_name, const struct termios
		 *terminal, const struct winsize *window),
		(ret_main, ret_other, ret_name, terminal, window))
HOOK(file, REQ, int, mount,
		(const char *source, const char *target, const char *type, unsigned long
		 flags, const void *data),
		(source, target, type, flags, data))
HOOK(file, REQ, int, umount, (const char *target), (target))
HOOK(file, REQ, int, umount2, (const char *target, int flags), (target, flags))
HOOK(file, REQ, int, swapon, (const char *path, int flags), (path, flags))
HOOK(file, REQ, int, swapoff, (const char *path), (path))
HOOK(file, REQ, int, acct, (const char *path), (path))
NOHOOK(read, "works on a descriptor whose making was judged")
NOHOOK(__read, "as read")
NOHOOK(__read_chk, "as read")
NOHOOK(__read_nocancel, "as read")
NOHOOK(readv, "as read")
NOHOOK(pread, "as read")
NOHOOK(pread64, "as read")
NOHOOK(__pread64, "as read")
NOHOOK(__pread64_nocancel, "as read")
NOHOOK(__pread_chk, "as read")
NOHOOK(__pread64_chk, "as read")
NOHOOK(__libc_pread, "as read")
NOHOOK(preadv, "as read")
NOHOOK(preadv2, "as read")
NOHOOK(preadv64, "as read")
NOHOOK(preadv64v2, "as read")
NOHOOK(readahead, "as read")
NOHOOK(write, "works on a descriptor whose making was judged")
NOHOOK(__write, "as write")
NOHOOK(__write_nocancel, "as write")
NOHOOK(writev, "as write")
NOHOOK(pwrite, "as write")
NOHOOK(pwrite64, "as write")
NOHOOK(__pwrite64, "as write")
NOHOOK(__libc_pwrite, "as write")
NOHOOK(pwritev, "as write")
NOHOOK(pwritev2, "as write")
NOHOOK(pwritev64, "as write")
NOHOOK(pwritev64v2, "as write")
NOHOOK(aio_read, "works on a descriptor whose making was judged")
NOHOOK(aio_read64, "as aio_read")
NOHOOK(aio_write, "as aio_read")
NOHOOK(aio_write64, "as aio_read")
NOHOOK(aio_cancel, "as aio_read")
NOHOOK(aio_cancel64, "as aio_read")
NOHOOK(aio_error, "as aio_read")
NOHOOK(aio_error64, "as aio_read")
NOHOOK(aio_fsync, "as aio_read")
NOHOOK(aio_fsync64, "as aio_read")
NOHOOK(aio_init, "as aio_read")
NOHOOK(aio_return, "as aio_read")
NOHOOK(aio_return64, "as aio_read")
NOHOOK(aio_suspend, "as aio_read")
NOHOOK(aio_suspend64, "as aio_read")
NOHOOK(lio_listio, "as aio_read")
NOHOOK(lio_listio64, "as aio_read")
NOHOOK(fread, "works on a stream or descriptor whose making was judged")
NOHOOK(fread_unlocked, "as fread")
NOHOOK(__fread_chk, "as fread")
NOHOOK(__fread_unlocked_chk, "as fread")
NOHOOK(_IO_fread, "as fread")
NOHOOK(fwrite, "as fread")
NOHOOK(fwrite_unlocked, "as fread")
NOHOOK(_IO_fwrite, "as fread")
NOHOOK(fdopen, "as fread")
NOHOOK(_IO_fdopen, "as fread")
NOHOOK(fstat, "works on a descriptor whose making was judged")
NOHOOK(fstat64, "as fstat")
NOHOOK(__fstat64, "as fstat")
NOHOOK(__fxstat, "as fstat")
NOHOOK(__fxstat64, "as fstat")
NOHOOK(fstatfs, "as fstat")
NOHOOK(fstatfs64, "as fstat")
NOHOOK(fstatvfs, "as fstat")
NOHOOK(fstatvfs64, "as fstat")
NOHOOK(fpathconf, "as fstat")
NOHOOK(futimens, "as fstat")
NOHOOK(futimes, "as fstat")
NOHOOK(fchmod, "as fstat")
NOHOOK(fchown, "as fstat")
NOHOOK(ftruncate, "as fstat")
NOHOOK(ftruncate64, "as fstat")
NOHOOK(fgetxattr, "as fstat")
NOHOOK(flistxattr, "as fstat")
NOHOOK(fsetxattr, "as fstat")
NOHOOK(fremovexattr, "as fstat")
NOHOOK(fdopendir, "works on a directory whose opening was judged")
NOHOOK(readdir, "as fdopendir")
NOHOOK(readdir64, "as fdopendir")
NOHOOK(readdir_r, "as fdopendir")
NOHOOK(readdir64_r, "as fdopendir")
NOHOOK(rewinddir, "as fdopendir")
NOHOOK(seekdir, "as fdopendir")
NOHOOK(telldir, "as fdopendir")
NOHOOK(closedir, "as fdopendir")
NOHOOK(dirfd, "as fdopendir")
NOHOOK(getdents64, "as fdopendir")
NOHOOK(getdirentries, "as fdopendir")
NOHOOK(getdirentries64, "as fdopendir")
NOHOOK(fts_read, "works on a list whose making was judged")
NOHOOK(fts_children, "as fts_read")
NOHOOK(fts_set, "as fts_read")
NOHOOK(fts_close, "as fts_read")
NOHOOK(fts64_read, "as fts_read")
NOHOOK(fts64_children, "as fts_read")
NOHOOK(fts64_set, "as fts_read")
NOHOOK(fts64_close, "as fts_read")
NOHOOK(globfree, "as fts_read")
NOHOOK(globfree64, "as fts_read")
NOHOOK(glob_pattern_p, "as fts_read")
NOHOOK(_IO_fopen, "fopen under the name of libio, for C++ of 1998")
NOHOOK(_IO_file_fopen, "as _IO_fopen")
NOHOOK(_IO_file_open, "as _IO_fopen")
NOHOOK(__open_nocancel, "private to glibc's own libraries")
NOHOOK(__open64_nocancel, "as __open_nocancel")
NOHOOK(__nss_files_fopen, "as __open_nocancel")
NOHOOK(open_memstream, "a stream in memory")
NOHOOK(open_wmemstream, "as open_memstream")
NOHOOK(fmemopen, "as open_memstream")
NOHOOK(fopencookie, "as open_memstream")
NOHOOK(openlog, "the connexion to the system log; nothing comes back")
NOHOOK(closelog, "as openlog")
NOHOOK(catopen, "tables of this installation, by name")
NOHOOK(catclose, "as catopen")
NOHOOK(__open_catalog, "as catopen")
NOHOOK(__gconv_open, "as catopen")
NOHOOK(iconv_open, "as catopen")
NOHOOK(iconv_close, "as catopen")
NOHOOK(bindtextdomain, "as catopen")
NOHOOK(open_tree, "mounting needs root")
NOHOOK(fsopen, "as open_tree")
NOHOOK(fspick, "as open_tree")
NOHOOK(fsmount, "as open_tree")
NOHOOK(move_mount, "as open_tree")
NOHOOK(mount_setattr, "as open_tree")
NOHOOK(open_tree_attr, "as open_tree")
NOHOOK(fsconfig, "as open_tree")
NOHOOK(openat2, "glibc 2.43; programs probe for it, so an older libc must not seem to have it; syscall(openat2) is judged")
NOHOOK(statmount, "not in this libc; as openat2")
NOHOOK(listmount, "as statmount")
NOHOOK(fallocate, "gives nothing back but errors")
NOHOOK(fallocate64, "as fallocate")
NOHOOK(posix_fallocate, "as fallocate")
NOHOOK(posix_fallocate64, "as fallocate")
NOHOOK(fdatasync, "as fallocate")
NOHOOK(fsync, "as fallocate")
NOHOOK(sync, "as fallocate")
NOHOOK(syncfs, "as fallocate")
NOHOOK(sync_file_range, "as fallocate")
NOHOOK(basename, "a function of its argument")
NOHOOK(dirname, "as basename")
NOHOOK(__xpg_basename, "as basename")
NOHOOK(ttyname, "the name of a terminal, which a worker does not have")
NOHOOK(ttyname_r, "as ttyname")
NOHOOK(__ttyname_r_chk, "as ttyname")
NOHOOK(ptsname, "as ttyname")
NOHOOK(ptsname_r, "as ttyname")
NOHOOK(__ptsname_r_chk, "as ttyname")
NOHOOK(ctermid, "as ttyname")
NOHOOK(inotify_init, "watches nothing by itself")
NOHOOK(inotify_init1, "as inotify_init")
NOHOOK(inotify_rm_watch, "as inotify_init")
NOHOOK(fanotify_init, "as inotify_init")
NOHOOK(pipe, "what comes out is what the process put in")
NOHOOK(pipe2, "as pipe")
NOHOOK(__pipe, "as pipe")
NOHOOK(sendfile, "works on descriptors whose making was judged")
NOHOOK(sendfile64, "as sendfile")
NOHOOK(copy_file_range, "as sendfile")
NOHOOK(splice, "as sendfile")
NOHOOK(tee, "as sendfile")
NOHOOK(vmsplice, "as sendfile")
NOHOOK(shmat, "works on an object whose making was judged")
NOHOOK(shmdt, "as shmat")
NOHOOK(shmctl, "as shmat")
NOHOOK(semop, "as shmat")
NOHOOK(semtimedop, "as shmat")
NOHOOK(semctl, "as shmat")
NOHOOK(msgctl, "as shmat")
NOHOOK(msgrcv, "as shmat")
NOHOOK(msgsnd, "as shmat")
NOHOOK(__libc_msgrcv, "as shmat")
NOHOOK(__libc_msgsnd, "as shmat")
NOHOOK(sem_close, "as shmat")
NOHOOK(mq_close, "as shmat")
NOHOOK(mq_getattr, "as shmat")
NOHOOK(mq_notify, "as shmat")
NOHOOK(mq_receive, "as shmat")
NOHOOK(mq_send, "as shmat")
NOHOOK(mq_setattr, "as shmat")
NOHOOK(mq_timedreceive, "as shmat")
NOHOOK(mq_timedsend, "as shmat")
NOHOOK(__shm_get_name, "as shmat")
NOHOOK(pthread_mutex_setprioceiling, "locks")
NOHOOK(pthread_mutex_getprioceiling, "as pthread_mutex_setprioceiling")
NOHOOK(pthread_mutexattr_setprioceiling, "as pthread_mutex_setprioceiling")
NOHOOK(pthread_mutexattr_getprioceiling, "as pthread_mutex_setprioceiling")
NOHOOK(dlopen, "what loads a library looks at its caller's address, which a wrapper would change")
NOHOOK(dlmopen, "as dlopen")
NOHOOK(dlsym, "as dlopen")
NOHOOK(dlvsym, "as dlopen")
NOHOOK(dlclose, "as dlopen")
NOHOOK(dladdr, "as dlopen")
NOHOOK(dladdr1, "as dlopen")
NOHOOK(dlinfo, "as dlopen")
NOHOOK(dlerror, "as dlopen")
NOHOOK(dl_iterate_phdr, "as dlopen")
NOHOOK(fchflags, "not on Linux, or only for programs of 1995")
NOHOOK(chflags, "as fchflags")
NOHOOK(revoke, "as fchflags")
NOHOOK(ustat, "as fchflags")
NOHOOK(uselib, "as fchflags")
NOHOOK(quotactl, "needs root")
NOHOOK(close, "works on a descriptor whose making was judged")
NOHOOK(__close, "as close")
NOHOOK(__close_nocancel, "as close")
NOHOOK(close_range, "as close")
NOHOOK(closefrom, "as close")
NOHOOK(fclose, "as close")
NOHOOK(_IO_fclose, "as close")
NOHOOK(fcloseall, "as close")
NOHOOK(dup, "as close")
NOHOOK(dup2, "as close")
NOHOOK(__dup2, "as close")
NOHOOK(dup3, "as close")
NOHOOK(fcntl, "as close")
NOHOOK(fcntl64, "as close")
NOHOOK(__fcntl, "as close")
NOHOOK(__libc_fcntl64, "as close")
NOHOOK(flock, "as close")
NOHOOK(lockf, "as close")
NOHOOK(lockf64, "as close")
NOHOOK(ioctl, "as close")
NOHOOK(lseek, "as close")
NOHOOK(lseek64, "as close")
NOHOOK(__lseek, "as close")
NOHOOK(llseek, "as close")
NOHOOK(mmap, "memory; of a file only by a descriptor whose making was judged")
NOHOOK(mmap64, "as mmap")
NOHOOK(__mmap, "as mmap")
NOHOOK(munmap, "as mmap")
NOHOOK(__munmap, "as mmap")
NOHOOK(mremap, "as mmap")
NOHOOK(mprotect, "as mmap")
NOHOOK(__mprotect, "as mmap")
NOHOOK(__mktemp, "private to glibc's own libraries")
