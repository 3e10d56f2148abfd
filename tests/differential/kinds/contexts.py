"""Context variables."""
from kinds.table import kind

kind("context variable", 3, "{n} = contextvars.ContextVar('{n}', default={v})", """
{x}.set({v})
{x}.set([{v}])
{x}.set({o})
={x}.get()
{x}.get().append({v})
{x}.reset({x}.set({v}))
""", "context")
kind("context", 2, """
_{n} = contextvars.ContextVar('_{n}')
{n} = contextvars.copy_context()
{n}.run(_{n}.set, [{v}])
""", """
{x}.run(_{n}.set, {v})
{x}.run(_{n}.set, {o})
{x}.get(_{n}).append({v})
={x}.run(_{n}.get)
={x}.copy().get(_{n})
!{x} = {x}.copy()
""", "context")
kind("token", 1, """
_{n} = contextvars.ContextVar('_{n}', default=[])
_{n}_held = contextvars.Context()
{n} = _{n}_held.run(_{n}.set, {o})
""", """
_{n}_held.run(_{n}.reset, {x})
=_{n}_held.get(_{n})
!{x} = _{n}_held.run(_{n}.set, {v})
{x}.old_value.append({v})
""", "context")
