"""A library that workflows pass through: compiled and generated code makes the values of its classes, by name and by functions."""
import time
import uuid

import attrs
import pydantic


class Named(pydantic.BaseModel):
    id: uuid.UUID = pydantic.Field(default_factory=uuid.uuid4)


class Wrapped(pydantic.BaseModel):
    id: uuid.UUID = pydantic.Field(default_factory=lambda: uuid.uuid4())


class Primitive(pydantic.BaseModel):
    at: float = pydantic.Field(default_factory=time.time)


@attrs.define
class Attributes:
    at: float = attrs.field(factory=time.time)
