"""Each resource that has a ping, opened for itself and asked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from ..._utils import told
from ...checks import EXAMINATIONS, Diagnosis, Patient, examination
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
    for done in asyncio.as_completed([_try(patient, component) for component in asked]):
        yield await done


async def _try(patient: Patient, component: Component[Resource[Any]]) -> Diagnosis:
    project, resource = patient.project, component.value
    begun = time.perf_counter()
    try:
        async with asyncio.timeout(patient.timeout_s * 0.9):
            await try_resource(project.registry, project.settings, resource)
    except TimeoutError:
        why, hint = f"no answer within {patient.timeout_s * 0.9:g} s", "see what it waits for"
    except ForgeError as error:
        why, hint = error.message, error.hint
    except Exception as error:  # a resource is anybody's code
        why, hint = told(error), f"see {component.location}"
    else:
        text = f"opens and answers, {(time.perf_counter() - begun) * 1000:.0f} ms"
        return Diagnosis(what=component.name, text=text)
    return Diagnosis(
        what=component.name,
        text=why,
        verdict="fail" if resource.required else "warn",
        hint=hint,
        stops=resource.required,
    )
