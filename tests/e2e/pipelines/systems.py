"""How each CI system makes scripts of its file, as its documentation says: which shell, which environment, which order."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.e2e.pipelines.workshop import Environ, Script, Workshop, filled

Body = dict[str, Any]
Facts = dict[str, str]

GITHUB: Final = ("${{", "}}")
TEKTON: Final = ("$(", ")")
ARGO: Final = ("{{", "}}")


class GitHub:
    """A workflow run: steps hand on outputs and environment through files."""

    def __init__(self, shop: Workshop, facts: Facts) -> None:
        """`facts` is what stands between `${{ }}`; outputs of steps come to it."""
        self.shop, self.facts = shop, facts
        self.workflow = shop.bodies("github-actions")["/"]
        assert self.workflow["defaults"]["run"]["shell"] == "bash"  # which means the options that a Script has
        for name in ("GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
            (shop.folder / name).touch()
            shop.environ[name] = str(shop.folder / name)
        shop.environ["RUNNER_TEMP"] = str(shop.folder)

    def names(self) -> set[str]:
        """Every script of the file."""
        return {
            f"{job}/{step['name']}" for job, body in self.workflow["jobs"].items() for step in body["steps"] if "run" in step
        }

    def step(self, job: str, name: str) -> Script:
        """The script of a step, with the environment that it has now."""
        step = next(step for step in self.workflow["jobs"][job]["steps"] if step.get("name") == name)
        given = {**self.workflow["env"], **self.workflow["jobs"][job].get("env", {}), **step.get("env", {})}
        environ = {key: filled(value, self.facts, GITHUB) for key, value in given.items()}
        return Script(f"{job}/{name}", step["run"], environ={**environ, **self._handed_on("GITHUB_ENV")})

    def run(self, job: str, *names: str) -> None:
        """Run steps, one after the other."""
        for name in names:
            self.shop.run(self.step(job, name))

    def output(self, step: str, name: str) -> str:
        """What a step put out; from now on the expressions know it."""
        self.facts[f"steps.{step}.outputs.{name}"] = self._handed_on("GITHUB_OUTPUT")[name]
        return self.facts[f"steps.{step}.outputs.{name}"]

    def _handed_on(self, file: str) -> Environ:
        lines = (self.shop.folder / file).read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)


class GitLab:
    """A pipeline: `script` is one shell, `after_script` another."""

    def __init__(self, shop: Workshop, predefined: Environ) -> None:
        """`predefined` is what GitLab sets; `variables` may name it."""
        self.shop = shop
        self.body = shop.bodies("gitlab-ci")["/"]
        own = {
            key: re.sub(r"\$(\w+)", lambda found: predefined[found[1]], value)
            for key, value in self.body["variables"].items()
        }
        self.environ = {**predefined, **own}

    def names(self) -> set[str]:
        """Every script of the file."""
        jobs = {name: body for name, body in self.body.items() if name not in {"stages", "default", "variables"}}
        return {
            f"{job}/{part}"
            for job, body in jobs.items()
            for part in ("before_script", "script", "after_script")
            if part in body
        }

    def script(self, job: str, part: str = "script", **more: str) -> Script:
        """The script of a job: its lines one after the other, in a bash that ends at the first failure."""
        text = "\n".join(self.body[job][part])
        return Script(f"{job}/{part}", text, environ={**self.environ, **more})


def tekton(body: Body, facts: Mapping[str, str]) -> Iterator[Script]:
    """The scripts of a Task: each is a program of its own, with the environment of its step."""
    template = body["spec"].get("stepTemplate", {}).get("env", [])
    for step in body["spec"]["steps"]:
        assert step["script"].startswith("#!/usr/bin/env bash\n")
        environ = {row["name"]: filled(row["value"], facts, TEKTON) for row in [*template, *step.get("env", [])]}
        yield Script(f"{body['metadata']['name']}/{step['name']}", step["script"], ("bash",), environ)


def argo(body: Body, facts: Mapping[str, str]) -> dict[str, Script]:
    """The scripts of a WorkflowTemplate, by template."""
    found = {}
    for template in body["spec"]["templates"]:
        if "script" in template:
            script = template["script"]
            environ = {row["name"]: filled(row["value"], facts, ARGO) for row in script["env"]}
            found[template["name"]] = Script(template["name"], script["source"], tuple(script["command"]), environ)
    return found
