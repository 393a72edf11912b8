"""Back-ends as data: backends/*.json, and the files named in BENCH_ADAPTERS.  README.md says what an entry holds."""

import glob
import json
import os
import re
import shutil

from processes import HERE


def load_adapters():
    named = os.environ.get("BENCH_ADAPTERS", "")
    files = sorted(glob.glob(os.path.join(HERE, "backends", "*.json"))) + [x for x in named.split(":") if x]
    adapters = {}
    for path in files:
        with open(path) as f:
            for adapter in json.load(f):
                adapters[adapter["name"]] = substituted(adapter)
    return adapters


def available(adapter):
    return all(need and (shutil.which(need) or os.path.exists(need)) for need in adapter.get("needs", []))


def substituted(value):
    """The same with ${NAME} and ${NAME:-default} in every string replaced from the environment."""
    if isinstance(value, str):
        return re.sub(r"\$\{(\w+)(?::-([^}]*))?\}", lambda m: os.environ.get(m[1]) or m[2] or "", value)
    if isinstance(value, list):
        return [substituted(x) for x in value]
    return {k: substituted(x) for k, x in value.items()} if isinstance(value, dict) else value


def expand(words, variables):
    """The same words with {name} replaced by the lab's value of it."""
    return [re.sub(r"\{(\w+)\}", lambda m: str(variables.get(m[1], m[0])), word) for word in words]
