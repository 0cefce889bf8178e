"""The base of every mapping in mesh.yaml, and selections of clusters."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from meshc.mesh.model.words import LabelKey, LabelValue, Name


class Shape(BaseModel):
    """Base of every mapping in mesh.yaml: unknown keys are problems, and values aren't converted to other types."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        alias_generator=to_camel,
        populate_by_name=False,
    )


class MatchExpression(Shape):
    """One condition on a cluster's labels, as in Kubernetes."""

    key: LabelKey
    """The label's key."""
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    """How the label is compared."""
    values: tuple[LabelValue, ...] = ()
    """The values to compare with; empty for Exists and DoesNotExist."""

    @model_validator(mode="after")
    def _values_fit(self) -> MatchExpression:
        if (self.operator in ("In", "NotIn")) != bool(self.values):
            raise PydanticCustomError("bad_expression", "In and NotIn need values, Exists and DoesNotExist take none")
        return self


class Selector(Shape):
    """Clusters by label, or all of them, without those under `except`."""

    match_labels: dict[LabelKey, LabelValue] = {}
    """Labels that a cluster must have."""
    match_expressions: tuple[MatchExpression, ...] = ()
    """Conditions that a cluster's labels must meet."""
    names: tuple[Name, ...] | None = None
    """Clusters by name; default: every cluster."""
    except_: tuple[Name, ...] = Field(default=(), alias="except")
    """Clusters that are excluded."""


def form(value: Any) -> str:
    """Selects the alternative for a value by its type, so that a fault is reported only once."""
    if isinstance(value, dict | BaseModel):
        return "mapping"
    return "list" if isinstance(value, tuple | list) else "text" if isinstance(value, str) else "other"


Selection = Annotated[
    Annotated[Literal["all"], Tag("text")]
    | Annotated[tuple[Name, ...], Tag("list")]
    | Annotated[Selector, Tag("mapping")],
    Discriminator(
        form, custom_error_type="wrong_form", custom_error_message="must be all, a list of names, or a mapping"
    ),
    Field(
        description="Which clusters: `all`, a list of names, or labels (matchLabels, matchExpressions, names, except)."
    ),
]
