"""Objects of third-party packages."""
from kinds.table import INSTANCE, kind

kind("attrs", 2, """
@attr.s
class _{n}:
    a = attr.ib(default={v})
    things = attr.ib(factory=list)
    total = 0
{n} = _{n}({o})
""", INSTANCE, "attrs")
kind("attrs slots", 1, """
@attr.define
class _{n}:
    a: object = {v}
    things: list = attr.field(factory=list)
{n} = _{n}({o})
""", "{x}.things.append({v})\n{x}.a = {o}\n!{x} = attr.evolve({x}, a={v})\n={x}.a", "attrs")
kind("pydantic", 1, """
class _{n}(pydantic.BaseModel):
    a: int = 0
    things: list = []
    _hidden: list = pydantic.PrivateAttr(default_factory=list)
{n} = _{n}(things=[{v}])
""", """
{x}.a = {v}
{x}.things.append({o})
{x}._hidden.append({v})
={x}.model_dump()
{x}.__pydantic_fields_set__.add('a')
!{x} = {x}.model_copy()
type({x})(a='no number')
""", "pydantic")
kind("sqlalchemy table", 2, """
{n} = sqlalchemy.Table('{n}', sqlalchemy.MetaData(), sqlalchemy.Column('a', sqlalchemy.Integer, primary_key=True))
""", """
{x}.append_column(sqlalchemy.Column({k}, sqlalchemy.Integer))
{x}.append_constraint(sqlalchemy.UniqueConstraint('a'))
{x}.info[{k}] = {v}
{x}.c.a.info[{k}] = {o}
sqlalchemy.Table({k}, {x}.metadata, sqlalchemy.Column('a', sqlalchemy.ForeignKey({x}.c.a)))
{x}.metadata.remove({x})
sqlalchemy.Index({k}, {x}.c.a)
={x}.info
={x}.c.keys()
={x}.primary_key.columns.keys()
=list({x}.metadata.tables)
=[t.name for t in {x}.metadata.sorted_tables]
=len({x}.constraints)
=sorted(i.name for i in {x}.indexes)
=sorted(f.target_fullname for f in {x}.foreign_keys)
=str(sqlalchemy.select({x}).where({x}.c.a == {v}))
""", "sqlalchemy")
kind("sqlalchemy model", 2, """
class _{n}(sqlalchemy.orm.DeclarativeBase):
    pass
class {n}(_{n}):
    __tablename__ = '{n}'
    a = sqlalchemy.orm.mapped_column(sqlalchemy.Integer, primary_key=True)
    b = sqlalchemy.orm.mapped_column(sqlalchemy.String)
    below = sqlalchemy.orm.relationship('{n}_below', back_populates='over')
class {n}_below(_{n}):
    __tablename__ = '{n}_below'
    a = sqlalchemy.orm.mapped_column(sqlalchemy.ForeignKey('{n}.a'), primary_key=True)
    over = sqlalchemy.orm.relationship({n}, back_populates='below')
""", """
={x}(a={v}).a
={x}(a={v}, b={k}).below
={x}.__mapper__.configured
={x}.__mapper__.attrs.keys()
={x}.__table__.c.keys()
=list({x}.metadata.tables)
=str(sqlalchemy.select({x}).where({x}.a == {v}))
={x}.{A}
{x}.{A} = {v}
{x}.extra = sqlalchemy.orm.mapped_column(sqlalchemy.Integer)
{x}.__table__.info[{k}] = {o}
{x}.below.info[{k}] = {v}
type({k}, ({x},), {{}})
{x}.registry.configure()
sqlalchemy.event.listen({x}, 'init', lambda target, *p: note('made', {v}))
""", "sqlalchemy")
