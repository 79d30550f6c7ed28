"""Each resource that has a ping, opened for itself and asked."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

from ..._utils import told
from ...checks import EXAMINATIONS, Diagnosis, Patient, examination
from ...checks.asking import answers_within
from ...components import Component
from ...exceptions import ForgeError
from ...lifecycle import RESOURCES, Resource
from ...lifecycle.trying import try_resource

__all__ = ["resources"]


@examination
async def resources(patient: Patient) -> AsyncIterator[Diagnosis]:
    """Try the resources that no other examination tries, side by side."""
    registry = patient.project.registry
    tried = {each for found in registry.values(EXAMINATIONS) for each in found.resources}
    asked = [
        component
        for component in registry.components(RESOURCES)
        if component.value.ping is not None and component.value not in tried
    ]
    limit_s = patient.timeout_s * 0.9
    rows = await answers_within(limit_s, (_try(patient, component) for component in asked))
    for component, row in zip(asked, rows, strict=True):
        yield row or _unwell(
            component,
            f"no answer within {limit_s:g} s",
            "see what it waits for, or raise --timeout",
        )


async def _try(patient: Patient, component: Component[Resource[Any]]) -> Diagnosis:
    project, resource = patient.project, component.value
    begun = time.perf_counter()
    try:
        await try_resource(project.registry, project.settings, resource)
    except ForgeError as error:
        return _unwell(component, error.message, error.hint)
    except Exception as error:  # a resource is anybody's code
        return _unwell(component, told(error), f"see {component.location}")
    text = f"opens and answers, {(time.perf_counter() - begun) * 1000:.0f} ms"
    return Diagnosis(what=component.name, text=text)


def _unwell(component: Component[Resource[Any]], why: str, hint: str) -> Diagnosis:
    is_required = component.value.required
    return Diagnosis(
        what=component.name,
        text=why,
        verdict="fail" if is_required else "warn",
        hint=hint,
        stops=is_required,
    )
