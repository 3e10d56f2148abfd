"""A workflow file that imports what many do."""
import attrs
import jinja2
import pydantic
import yaml
from temporalio import workflow


class Order(pydantic.BaseModel):
    number: int = 0


@attrs.define
class Line:
    text: str = ""


@workflow.defn
class Libraries:
    @workflow.run
    async def run(self, text: str) -> str:
        return jinja2.Template(text).render(order=yaml.safe_load("1"))
