/* Sockets and names of hosts: see hooks/rows.h for the columns. */

HOOK(network, REQ, int, socket, (int domain, int type, int protocol), (domain, type, protocol))
HOOK(network, REQ, int, socketpair, (int domain, int type, int protocol, int ret_descriptors[2]),
		(domain, type, protocol, ret_descriptors))
HOOK(network, REQ, int, connect,
		(int descriptor, const struct sockaddr *address, socklen_t size),
		(descriptor, address, size))
HOOK(network, OPT, int, __connect,
		(int descriptor, const struct sockaddr *address, socklen_t size),
		(descriptor, address, size))
HOOK(network, REQ, int, bind, (int descriptor, const struct sockaddr *address, socklen_t size),
		(descriptor, address, size))
HOOK(network, REQ, int, listen, (int descriptor, int backlog), (descriptor, backlog))
HOOK(network, REQ, int, accept,
		(int descriptor, struct sockaddr *restrict ret_address, socklen_t *restrict size),
		(descriptor, ret_address, size))
HOOK(network, REQ, int, accept4,
		(int descriptor, struct sockaddr *restrict ret_address, socklen_t *restrict size,
		 int flags),
		(descriptor, ret_address, size, flags))
HOOK(network, REQ, ssize_t, send, (int descriptor, const void *data, size_t size, int flags),
		(descriptor, data, size, flags))
HOOK(network, OPT, ssize_t, __send, (int descriptor, const void *data, size_t size, int flags),
		(descriptor, data, size, flags))
HOOK(network, REQ, ssize_t, sendto,
		(int descriptor, const void *data, size_t size, int flags,
		 const struct sockaddr *address, socklen_t address_size),
		(descriptor, data, size, flags, address, address_size))
HOOK(network, REQ, ssize_t, sendmsg, (int descriptor, const struct msghdr *message, int flags),
		(descriptor, message, flags))
HOOK(network, REQ, int, sendmmsg,
		(int descriptor, struct mmsghdr *messages, unsigned int count, int flags),
		(descriptor, messages, count, flags))
HOOK(network, REQ, ssize_t, recv, (int descriptor, void *ret_data, size_t size, int flags),
		(descriptor, ret_data, size, flags))
HOOK(network, OPT, ssize_t, __recv_chk,
		(int descriptor, void *ret_data, size_t size, size_t room, int flags),
		(descriptor, ret_data, size, room, flags))
HOOK(network, REQ, ssize_t, recvfrom,
		(int descriptor, void *restrict ret_data, size_t size, int flags,
		 struct sockaddr *restrict ret_address, socklen_t *restrict address_size),
		(descriptor, ret_data, size, flags, ret_address, address_size))
HOOK(network, OPT, ssize_t, __recvfrom_chk,
		(int descriptor, void *restrict ret_data, size_t size, size_t room, int flags,
		 struct sockaddr *restrict ret_address, socklen_t *restrict address_size),
		(descriptor, ret_data, size, room, flags, ret_address, address_size))
HOOK(network, REQ, ssize_t, recvmsg, (int descriptor, struct msghdr *ret_message, int flags),
		(descriptor, ret_message, flags))
HOOK(network, REQ, int, recvmmsg,
		(int descriptor, struct mmsghdr *ret_messages, unsigned int count, int flags,
		 struct timespec *timeout),
		(descriptor, ret_messages, count, flags, timeout))
HOOK(network, REQ, int, getaddrinfo,
		(const char *restrict host, const char *restrict service,
		 const struct addrinfo *restrict hints, struct addrinfo **restrict ret_addresses),
		(host, service, hints, ret_addresses))
HOOK(network, OPT, int, getaddrinfo_a,
		(int mode, struct gaicb *list[restrict], int count,
		 struct sigevent *restrict event),
		(mode, list, count, event))
HOOK(network, REQ, int, getnameinfo,
		(const struct sockaddr *restrict address, socklen_t size, char *restrict ret_host,
		 socklen_t host_size, char *restrict ret_service, socklen_t service_size, int flags),
		(address, size, ret_host, host_size, ret_service, service_size, flags))
HOOK(network, REQ, struct hostent *, gethostbyname, (const char *name), (name))
HOOK(network, REQ, struct hostent *, gethostbyname2, (const char *name, int family),
		(name, family))
HOOK(network, REQ, struct hostent *, gethostbyaddr,
		(const void *address, socklen_t size, int family), (address, size, family))
HOOK(network, REQ, struct hostent *, gethostent, (void), ())
HOOK(network, REQ, int, gethostbyname_r,
		(const char *restrict name, struct hostent *restrict ret_entry,
		 char *restrict buffer, size_t size, struct hostent **restrict ret_found,
		 int *restrict ret_error),
		(name, ret_entry, buffer, size, ret_found, ret_error))
HOOK(network, REQ, int, gethostbyname2_r,
		(const char *restrict name, int family, struct hostent *restrict ret_entry,
		 char *restrict buffer, size_t size, struct hostent **restrict ret_found,
		 int *restrict ret_error),
		(name, family, ret_entry, buffer, size, ret_found, ret_error))
HOOK(network, REQ, int, gethostbyaddr_r,
		(const void *restrict address, socklen_t address_size, int family,
		 struct hostent *restrict ret_entry, char *restrict buffer, size_t size,
		 struct hostent **restrict ret_found, int *restrict ret_error),
		(address, address_size, family, ret_entry, buffer, size, ret_found, ret_error))
HOOK(network, REQ, int, gethostent_r,
		(struct hostent *restrict ret_entry, char *restrict buffer, size_t size,
		 struct hostent **restrict ret_found, int *restrict ret_error),
		(ret_entry, buffer, size, ret_found, ret_error))
HOOK(network, REQ, struct servent *, getservbyname, (const char *name, const char *protocol),
		(name, protocol))
HOOK(network, REQ, struct servent *, getservbyport, (int port, const char *protocol),
		(port, protocol))
HOOK(network, OPT, int, __res_init, (void), ())
HOOK(network, OPT, int, __res_ninit, (res_state state), (state))
HOOK(network, OPT, int, res_query,
		(const char *name, int class, int type, unsigned char *ret_answer, int size),
		(name, class, type, ret_answer, size))
HOOK(network, OPT, int, res_search,
		(const char *name, int class, int type, unsigned char *ret_answer, int size),
		(name, class, type, ret_answer, size))
HOOK(network, OPT, int, res_send,
		(const unsigned char *message, int size, unsigned char *ret_answer, int room),
		(message, size, ret_answer, room))
HOOK(network, OPT, int, res_nquery,
		(res_state state, const char *name, int class, int type, unsigned char *ret_answer,
		 int size),
		(state, name, class, type, ret_answer, size))
HOOK(network, OPT, int, res_nsearch,
		(res_state state, const char *name, int class, int type, unsigned char *ret_answer,
		 int size),
		(state, name, class, type, ret_answer, size))
HOOK(network, OPT, int, res_nsend,
		(res_state state, const unsigned char *message, int size,
		 unsigned char *ret_answer, int room),
		(state, message, size, ret_answer, room))

/* Their names before glibc 2.34, which only old programs are bound to: the shells call the new ones. */
HOOK_VARIADIC(network, OPT, int, __res_query,
		(const char *name, int class, int type, unsigned char *ret_answer, int size))
HOOK_VARIADIC(network, OPT, int, __res_search,
		(const char *name, int class, int type, unsigned char *ret_answer, int size))
HOOK_VARIADIC(network, OPT, int, __res_send,
		(const unsigned char *message, int size, unsigned char *ret_answer, int room))
HOOK_VARIADIC(network, OPT, int, __res_nquery,
		(res_state state, const char *name, int class, int type, unsigned char *ret_answer,
		 int size))
HOOK_VARIADIC(network, OPT, int, __res_nsearch,
		(res_state state, const char *name, int class, int type, unsigned char *ret_answer,
		 int size))
HOOK_VARIADIC(network, OPT, int, __res_nsend,
		(res_state state, const unsigned char *message, int size,
		 unsigned char *ret_answer, int room))
HOOK(network, REQ, int, getservbyname_r,
		(const char *restrict name, const char *restrict protocol,
		 struct servent *restrict ret_entry, char *restrict buffer, size_t size,
		 struct servent **restrict ret_found),
		(name, protocol, ret_entry, buffer, size, ret_found))
HOOK(network, REQ, int, getservbyport_r,
		(int port, const char *restrict protocol, struct servent *restrict ret_entry,
		 char *restrict buffer, size_t size, struct servent **restrict ret_found),
		(port, protocol, ret_entry, buffer, size, ret_found))

NOHOOK(shutdown, "works on a descriptor whose making was judged")
NOHOOK(setsockopt, "as shutdown")
NOHOOK(getsockopt, "as shutdown")
NOHOOK(getsockname, "as shutdown")
NOHOOK(getpeername, "as shutdown")
NOHOOK(sockatmark, "as shutdown")
NOHOOK(isfdtype, "as shutdown")
NOHOOK(bindresvport, "as shutdown; for the RPC library of 1990")
NOHOOK(getipv4sourcefilter, "as shutdown")
NOHOOK(setipv4sourcefilter, "as shutdown")
NOHOOK(getsourcefilter, "as shutdown")
NOHOOK(setsourcefilter, "as shutdown")
NOHOOK(select, "waits for a descriptor whose making was judged")
NOHOOK(__select, "as select")
NOHOOK(pselect, "as select")
NOHOOK(poll, "as select")
NOHOOK(__poll, "as select")
NOHOOK(__poll_chk, "as select")
NOHOOK(ppoll, "as select")
NOHOOK(__ppoll_chk, "as select")
NOHOOK(epoll_create, "as select")
NOHOOK(epoll_create1, "as select")
NOHOOK(epoll_ctl, "as select")
NOHOOK(epoll_wait, "as select")
NOHOOK(epoll_pwait, "as select")
NOHOOK(epoll_pwait2, "as select")
NOHOOK(eventfd, "wakes a thread, and starting one is judged")
NOHOOK(eventfd_read, "as eventfd")
NOHOOK(eventfd_write, "as eventfd")
NOHOOK(signalfd, "as eventfd")
NOHOOK(freeaddrinfo, "frees what a judged call gave")
NOHOOK(gai_cancel, "works on a request that was judged")
NOHOOK(gai_error, "as gai_cancel")
NOHOOK(gai_suspend, "as gai_cancel")
NOHOOK(gai_strerror, "the text of an error")
NOHOOK(sethostent, "rewinds what judged calls read")
NOHOOK(endhostent, "as sethostent")
NOHOOK(__socket, "private to glibc's own libraries")
NOHOOK(__recv, "as __socket")
NOHOOK(__sendmmsg, "as __socket")
