"""The manifests are valid, split what is secret from what is not, and share one arithmetic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest

from .conftest import Shop, new_shop, time_of_a_stop

FOLDER = "deploy/kubernetes"
PODS = ("Deployment/shop-web", "Deployment/shop-worker", "Job/shop-migrate")
OLDEST, NEWEST = "1.30", "1.37"
"""From the version on whose pods can wait before SIGTERM without a program for that."""


def kinds(shop: Shop) -> dict[str, dict[str, Any]]:
    """Every object by its kind and name."""
    files = sorted((shop.folder / FOLDER).iterdir())
    found = [each for file in files for each in shop.documents(f"{FOLDER}/{file.name}")]
    return {f"{each['kind']}/{each['metadata']['name']}": each for each in found}


def container(manifest: dict[str, Any]) -> dict[str, Any]:
    (only,) = manifest["spec"]["template"]["spec"]["containers"]
    assert isinstance(only, dict)
    return only


@pytest.fixture(scope="module")
def objects(deployed: Shop) -> dict[str, dict[str, Any]]:
    return kinds(deployed)


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_manifest_is_valid(objects: dict[str, dict[str, Any]], version: str) -> None:
    """Against the schemas of Kubernetes, where no unknown field is allowed."""
    for manifest in objects.values():
        kubernetes_validate.validate(manifest, version, strict=True)


def test_an_invalid_manifest_would_be_found(objects: dict[str, dict[str, Any]]) -> None:
    manifest = {**objects["Service/shop"], "spec": {"port": 80}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest, NEWEST, strict=True)


def test_there_is_an_object_for_each_part(objects: dict[str, dict[str, Any]]) -> None:
    assert set(objects) == {
        "ConfigMap/shop",
        "Deployment/shop-web",
        "Deployment/shop-worker",
        "HorizontalPodAutoscaler/shop-web",
        "Job/shop-migrate",
        "PodDisruptionBudget/shop-web",
        "PodDisruptionBudget/shop-worker",
        "Secret/shop",
        "Service/shop",
    }


def test_what_is_secret_is_apart_and_has_no_value(
    objects: dict[str, dict[str, Any]], deployed: Shop
) -> None:
    """Addresses have passwords in them, also where the settings do not call them secret."""
    seen = objects["ConfigMap/shop"]["data"]
    assert seen == {"ALLOWED_HOSTS": "shop.example.com", "REGION": "..."}
    assert objects["Secret/shop"]["stringData"] == {
        "SECRET_KEY": "",
        "DATABASE_URL": "postgresql+asyncpg://USER:PASSWORD@HOST:5432/shop",
        "REDIS_URL": "redis://:PASSWORD@HOST:6379/0",
    }
    assert '  # PARTNERS: "7"\n' in deployed.text(f"{FOLDER}/settings.yaml")
    assert '  # PARTNER_KEY: ""\n' in deployed.text(f"{FOLDER}/secret.yaml.example")


def test_samples_are_not_applied_with_the_folder(deployed: Shop) -> None:
    applied = {path.name for path in (deployed.folder / FOLDER).glob("*.yaml")}
    assert applied == {"migrate.yaml", "settings.yaml", "web.yaml", "worker.yaml"}


@pytest.mark.parametrize("name", PODS)
def test_nothing_runs_as_root_or_writes_to_its_image(
    objects: dict[str, dict[str, Any]], name: str
) -> None:
    pod = objects[name]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    own = container(objects[name])
    assert own["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    assert own["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}]
    assert pod["volumes"][0]["emptyDir"]
    assert own["image"] == "shop:1.2.3"
    assert own["resources"]["requests"] and own["resources"]["limits"]["memory"]


def test_the_wait_before_the_signal_takes_the_place_of_the_drain(
    objects: dict[str, dict[str, Any]], deployed: Shop
) -> None:
    """Once is enough: both together would keep each release waiting twice as long."""
    web = objects["Deployment/shop-web"]
    own = container(web)
    assert own["lifecycle"] == {"preStop": {"sleep": {"seconds": 5}}}
    assert {"name": "FASTFORGE_PRE_STOP_S", "value": "5"} in own["env"]
    stop_s = time_of_a_stop(deployed.text(f"{FOLDER}/web.yaml"), "5 pre-stop", "1 linger")
    assert " drain" not in deployed.text(f"{FOLDER}/web.yaml")
    assert web["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == stop_s
    assert "lifecycle" not in container(objects["Deployment/shop-worker"])


def test_both_are_there_where_the_settings_say_both(tmp_path: Path) -> None:
    shop = new_shop(tmp_path, settings="SERVER = Server(pre_stop_s=3.5, drain_s=2, workers=2)")
    shop.manage("deploy", "kubernetes")
    web = kinds(shop)["Deployment/shop-web"]
    assert container(web)["lifecycle"] == {"preStop": {"sleep": {"seconds": 4}}}
    assert "env" not in container(web)
    stop_s = time_of_a_stop(shop.text(f"{FOLDER}/web.yaml"), "3.5 pre-stop", "2 drain")
    assert web["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == stop_s
    assert container(web)["resources"]["requests"]["memory"] == "512Mi"


def test_no_time_before_the_signal_is_no_hook(tmp_path: Path) -> None:
    shop = new_shop(tmp_path, settings="SERVER = Server(drain_s=0)")
    shop.manage("deploy", "kubernetes")
    own = container(kinds(shop)["Deployment/shop-web"])
    assert "lifecycle" not in own
    assert [each["name"] for each in own["env"]] == ["WEB_CONCURRENCY"]


def test_pods_are_asked_where_the_settings_say(
    objects: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    def paths(manifest: dict[str, Any]) -> dict[str, str]:
        own = container(manifest)
        names = [name for name in own if name.endswith("Probe")]
        return {name: own[name]["httpGet"]["path"] for name in names}

    usual = {"startupProbe": "/startupz", "livenessProbe": "/livez", "readinessProbe": "/readyz"}
    assert paths(objects["Deployment/shop-web"]) == usual
    assert paths(objects["Deployment/shop-worker"]) == usual
    shop = new_shop(tmp_path, settings='HEALTH = {"live_path": "", "ready_path": "/ready"}')
    shop.manage("deploy", "kubernetes")
    assert paths(kinds(shop)["Deployment/shop-web"]) == {
        "startupProbe": "/startupz",
        "readinessProbe": "/ready",
    }


def test_a_loop_that_is_blocked_for_5_seconds_kills_no_pod_and_for_a_minute_does(
    objects: dict[str, dict[str, Any]],
) -> None:
    probe = container(objects["Deployment/shop-web"])["livenessProbe"]
    period_s, timeout_s = probe["periodSeconds"], probe["timeoutSeconds"]
    failures = probe["failureThreshold"]
    assert (failures - 1) * period_s + timeout_s > 5  # the shortest block that can kill
    assert (failures + 1) * period_s + timeout_s < 60  # the longest that need not


def test_where_no_path_is_for_the_start_it_is_asked_whether_the_server_lives(
    tmp_path: Path,
) -> None:
    shop = new_shop(tmp_path, settings='HEALTH = {"startup_path": ""}')
    shop.manage("deploy", "kubernetes")
    probe = container(kinds(shop)["Deployment/shop-web"])["startupProbe"]
    assert probe["httpGet"]["path"] == "/livez"


def test_a_start_may_take_as_long_as_the_settings_let_a_database_be_away(tmp_path: Path) -> None:
    shop = new_shop(tmp_path, settings="SERVER = Server(start_deadline_s=90)")
    shop.manage("deploy", "kubernetes")
    probe = container(kinds(shop)["Deployment/shop-web"])["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] > 90


def test_selectors_find_their_own_pods(objects: dict[str, dict[str, Any]]) -> None:
    def labels(part: str) -> dict[str, str]:
        found = objects[f"Deployment/shop-{part}"]["spec"]["template"]["metadata"]["labels"]
        assert isinstance(found, dict)
        return found

    for part in ("web", "worker"):
        wanted = {"matchLabels": labels(part)}
        assert objects[f"Deployment/shop-{part}"]["spec"]["selector"] == wanted
        assert objects[f"PodDisruptionBudget/shop-{part}"]["spec"]["selector"] == wanted
    assert objects["Service/shop"]["spec"]["selector"] == labels("web")
    assert labels("web") != labels("worker")


def test_there_are_no_more_pods_than_the_settings_count(tmp_path: Path) -> None:
    settings = """
    SERVER = Server(processes=9, workers=2)
    TASKS = Tasks(processes=3)
    """
    shop = new_shop(tmp_path, settings=settings)
    shop.manage("deploy", "kubernetes")
    found = kinds(shop)
    scale = found["HorizontalPodAutoscaler/shop-web"]["spec"]
    assert (scale["minReplicas"], scale["maxReplicas"]) == (2, 4)
    assert "# 8 processes x 5 connections = 40 of the database" in shop.text(f"{FOLDER}/web.yaml")
    assert found["Deployment/shop-worker"]["spec"]["replicas"] == 3
    assert "replicas" not in found["Deployment/shop-web"]["spec"]


def test_parts_that_are_not_needed_are_left_out(tmp_path: Path) -> None:
    settings = """
    INSTALLED_APPS = ["shop"]
    del DATABASES, REDIS
    """
    shop = new_shop(tmp_path, settings=settings)
    output, _ = shop.manage("deploy", "kubernetes")
    found = kinds(shop)
    assert {"Job/shop-migrate", "Deployment/shop-worker"}.isdisjoint(found)
    assert "of the database" not in shop.text(f"{FOLDER}/web.yaml")
    assert "migrate" not in output
    for manifest in found.values():
        kubernetes_validate.validate(manifest, NEWEST, strict=True)


SHOWN = """
    from fastforge.contrib.prometheus import Prometheus

    INSTALLED_APPS.append("fastforge.contrib.prometheus")
    PROMETHEUS = Prometheus(host="{host}", port=9000)
    """


def test_pods_say_where_their_metrics_are(tmp_path: Path) -> None:
    shop = new_shop(tmp_path, settings=SHOWN.format(host="0.0.0.0"))
    shop.manage("deploy", "kubernetes")
    found = kinds(shop)
    for part, port in (("web", 9000), ("worker", 9465)):
        manifest = found[f"Deployment/shop-{part}"]
        kubernetes_validate.validate(manifest, NEWEST, strict=True)
        assert manifest["spec"]["template"]["metadata"]["annotations"] == {
            "prometheus.io/scrape": "true",
            "prometheus.io/port": str(port),
            "prometheus.io/path": "/metrics",
        }
        assert {"name": "metrics", "containerPort": port} in container(manifest)["ports"]
    shop.manage("deploy", "compose")
    assert 'expose: ["9000"]' in shop.text("compose.yaml")
    shop.manage("deploy", "systemd")
    assert "# Metrics for Prometheus: 0.0.0.0:9465/metrics" in shop.text(
        "deploy/systemd/shop-worker@.service"
    )


def test_metrics_for_the_pod_alone_are_told_in_a_comment(tmp_path: Path) -> None:
    shop = new_shop(tmp_path, settings=SHOWN.format(host="127.0.0.1"))
    shop.manage("deploy", "kubernetes")
    manifest = kinds(shop)["Deployment/shop-web"]
    assert "annotations" not in manifest["spec"]["template"]["metadata"]
    assert 'PROMETHEUS.host has to be "0.0.0.0" here.' in shop.text(f"{FOLDER}/web.yaml")
