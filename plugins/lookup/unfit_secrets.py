# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: unfit_secrets
author: The ai_platform.agent authors (@ai-platform)
short_description: Find variables whose secret would not arrive as it was meant
version_added: 1.0.0
description:
  - A secret in a file of variables may be changed on its way, and nobody sees it. YAML reads digits without quotes as
    a number, Ansible takes C({{), C({%) and C({#) for a template, and C(echo secret | ansible-vault encrypt_string)
    adds a line break that one program keeps and another one drops.
  - A reference of another tool, such as C(ENC[...]), that nobody resolved would itself become the password.
  - Variables that consist of one expression are followed to the variable that it names, so the name is that of the
    vaulted one.
options:
  _terms:
    description: Names of variables. One that is not defined, or empty, is passed over.
    type: list
    elements: str
    required: true
  hashed:
    description:
      - Those of them that become passwords of PostgreSQL's roles. PostgreSQL takes C(md5) with 32 digits, and
        C(SCRAM-SHA-256$) with what follows it, for a hash, so nobody can log in with that text.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Stop at a password that would not arrive
  ansible.builtin.assert:
    that: query('ai_platform.agent.unfit_secrets', 'ai_agent_redis_password') == []
"""

RETURN = r"""
_raw:
  description: One dictionary for each variable that does not fit, without anything of its value.
  type: list
  elements: dict
  contains:
    name:
      description: The variable.
      type: str
    problem:
      description: What is wrong with it and what to do, to be read after its name.
      type: str
"""

import re
import typing as t
import unicodedata

import jinja2
from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase
from ansible.template import is_trusted_as_template

# A chain of variables that name each other; longer ones Ansible itself refuses.
_MOST_STEPS = 20
_MARKS = re.compile(r"\{\{|\{%|\{#")
_ONE_EXPRESSION = re.compile(r"(?s)\s*\{\{(?P<inner>.*)\}\}\s*")
_TEMPLATE = (
    "holds {{, {% or {#, which Ansible takes for a template and would replace or refuse: write `!unsafe` before its"
    " value, in quotes (a value that is put together on purpose is one expression, as in \"{{ a ~ '-' ~ b }}\")"
)
# Password hashes, by the rules of get_password_type in PostgreSQL's src/backend/libpq/crypt.c.
_HASH = re.compile(r"md5[0-9a-f]{32}|SCRAM-SHA-256\$\d+:[A-Za-z0-9+/=]+\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=")
_HASHED = (
    "has the form of a hash, which PostgreSQL would keep as one, so that nobody could log in with it: take the password"
    " itself, or another one"
)
# Whole texts by which tools of secrets name one (shells, Kubernetes, SOPS, vals, 1Password, Bank-Vaults, Argo CD, AWS).
_REFERENCE = re.compile(
    r"\$\{[^{}]+\}|\$\([^()]+\)|ENC\[[A-Z0-9_]+,data:.*\]|ref\+[a-z0-9]+://.+|op://.+|vault:[^\s#]+/[^\s#]+#\S+"
    r"|<path:[^<>]+#[^<>]+>|arn:aws[a-z-]*:(?:secretsmanager|ssm):.+|\$ANSIBLE_VAULT;.*"
)
_KINDS = {bool: "a boolean", int: "a number", float: "a number", list: "a list", dict: "a dictionary"}


def unfit(value: t.Any) -> str:
    """What is wrong with the value of a secret, empty if nothing is."""
    if not isinstance(value, str):
        kind = next((words for one, words in _KINDS.items() if isinstance(value, one)), "no text")
        return f"is {kind}, because YAML reads it so: write it in quotes"
    # Environments give a byte of another encoding so, and JSON may hold one; neither a Secret nor a server takes it.
    if any(unicodedata.category(each) == "Cs" for each in value):
        return "holds bytes that are no UTF-8, which no Secret takes: save it as UTF-8, or run in a UTF-8 locale"
    if _REFERENCE.fullmatch(value):
        return (
            "is a reference that nobody resolved, which would itself become the password: take the password, by a"
            " lookup where another system keeps it"
        )
    if found := sorted({_character(each) for each in value if unicodedata.category(each) in {"Cc", "Zl", "Zp"}}):
        cure = "remove it (`printf %s` instead of `echo`, `|-` instead of `|`)"
        return f"holds {' and '.join(found)}, which some programs keep and others drop: {cure}"
    if value and any(each.isspace() or unicodedata.category(each) == "Cf" for each in (value[0], value[-1])):
        return "begins or ends with white space, which some programs keep and others drop: remove it"
    return ""


def _character(character: str) -> str:
    return {"\n": "a line break", "\r": "a line break", "\t": "a tab"}.get(character, "a control character")


def template_of(name: str, variables: t.Mapping[str, t.Any]) -> str:
    """The variable behind `name` that holds a template beside something else, empty where none does."""
    for _step in range(_MOST_STEPS):
        value = variables.get(name)
        if not isinstance(value, str) or not is_trusted_as_template(value) or not _MARKS.search(value):
            return ""
        expression = _ONE_EXPRESSION.fullmatch(value)
        if expression is None:
            return name
        named = _named(expression["inner"])
        if named is None:
            return "" if _is_expression(value) else name
        name = named
    return ""


def _is_expression(text: str) -> bool:
    """Whether a text is one expression and nothing else."""
    try:
        body = jinja2.Environment(autoescape=True).parse(text).body
    except jinja2.TemplateSyntaxError:
        return False
    parts = [part for part in getattr(body[0], "nodes", []) if not _is_blank(part)] if len(body) == 1 else []
    return len(parts) == 1


def _is_blank(part: jinja2.nodes.Node) -> bool:
    return isinstance(part, jinja2.nodes.TemplateData) and not part.data.strip()


def _named(inner: str) -> str | None:
    """The variable that an expression consists of, filters like `default` aside."""
    try:
        node: t.Any = jinja2.Environment(autoescape=True).parse("{{" + inner + "}}").body[0]
    except (jinja2.TemplateSyntaxError, IndexError):
        return None
    found = getattr(node, "nodes", [])
    node = found[0] if len(found) == 1 else None
    while isinstance(node, jinja2.nodes.Filter):
        node = node.node
    return node.name if isinstance(node, jinja2.nodes.Name) else None


class LookupModule(LookupBase):
    """Lookup plugin, see DOCUMENTATION."""

    def run(
        self, terms: list[str], variables: dict[str, t.Any] | None = None, **options: t.Any
    ) -> list[dict[str, str]]:
        """Return an entry for each variable that does not fit."""
        known, hashed = variables or {}, options.get("hashed") or []
        found = []
        for term in dict.fromkeys(terms):
            if origin := template_of(term, known):
                found.append({"name": origin, "problem": _TEMPLATE})
                continue
            value = self._value(term, known)
            problem = unfit(value) or (_HASHED if term in hashed and _HASH.fullmatch(value) else "")
            if problem:
                found.append({"name": self._last(term, known), "problem": problem})
        return found

    def _value(self, name: str, variables: dict[str, t.Any]) -> t.Any:
        """The value of a variable; empty where it has none, which whoever uses it says better."""
        try:
            value = self._templar.template(variables.get(name))
        except AnsibleError:
            return ""
        return "" if value is None else value

    @staticmethod
    def _last(name: str, variables: dict[str, t.Any]) -> str:
        """The variable in which the value stands."""
        for _step in range(_MOST_STEPS):
            value = variables.get(name)
            if not isinstance(value, str) or not is_trusted_as_template(value):
                break
            expression = _ONE_EXPRESSION.fullmatch(value)
            named = _named(expression["inner"]) if expression else None
            if named is None or named not in variables:
                break
            name = named
        return name
