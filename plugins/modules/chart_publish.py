#!/usr/bin/python
# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

# The module runs in plugins/action/chart_publish.py.

from __future__ import annotations

DOCUMENTATION = r"""
module: chart_publish
short_description: Package the chart with the same bytes each time, push it to an OCI registry, and sign it
version_added: 1.0.0
description:
  - Assembles the chart as M(ai_platform.agent.chart_assemble) does, lints it with the values of each environment,
    writes it as an archive without times, and pushes that with Helm. The same content has the same digest on each
    machine with the same compression library.
  - The login to the registry is Helm's and cosign's own (C(helm registry login), C(cosign login)). No password is an
    option here.
author:
  - The ai_platform.agent authors (@ai-platform)
extends_documentation_fragment:
  - ai_platform.agent._attributes
attributes:
  check_mode:
    support: full
    details: Assembles, lints and packages in a temporary folder; asks no registry, so it says that it would change.
  diff_mode:
    support: none
  idempotent:
    support: full
    details: A version that the registry has with the same digest, and with a signature of the same key, is no change.
options:
  chart:
    description: Folder of the chart, the one with C(Chart.yaml).
    type: path
    required: true
  subcharts:
    description: Where PostgreSQL's and Redis' charts come from, as in M(ai_platform.agent.chart_assemble).
    type: str
    required: true
    choices: [bitnami, embedded]
  subcharts_dir:
    description: Folder with the embedded subcharts. Required for O(subcharts=embedded).
    type: path
  cache_dir:
    description: Folder for assembled charts, as in M(ai_platform.agent.chart_assemble).
    type: path
  helm_binary:
    description: The helm program.
    type: path
    default: helm
  folder:
    description: Folder for the archive, on the controller.
    type: path
    required: true
  registry:
    description: Where to push it, C(oci://registry/repository). Without it the archive is written and that is all.
    type: str
  plain_http:
    description: Whether the registry is asked without TLS.
    type: bool
    default: false
  signing_key:
    description:
      - Private key of cosign (C(cosign generate-key-pair)), whose password is in E(COSIGN_PASSWORD). Nothing is written
        to a transparency log. Without it nothing is signed.
    type: path
  cosign_binary:
    description: The cosign program.
    type: path
    default: cosign
  sboms:
    description:
      - Bills of materials of the images (CycloneDX in JSON), which are attested with the chart. The repository's
        C(python -m dev.sbom) writes them. They need O(signing_key).
    type: list
    elements: path
    default: []
  source:
    description:
      - Where the chart's own files come from, C(git+https://repository@commit), for the provenance. What is signed
        has a provenance in any case (SLSA 1.0), with the subcharts' versions and the archive's digest.
    type: str
"""

EXAMPLES = r"""
- name: Publish the chart
  ai_platform.agent.chart_publish:
    chart: "{{ playbook_dir }}/chart"
    subcharts: embedded
    subcharts_dir: "{{ playbook_dir }}/subcharts"
    folder: /var/charts
    registry: oci://registry.example.com/charts
    signing_key: /etc/keys/cosign.key
  environment:
    COSIGN_PASSWORD: "{{ vault_cosign_password }}"
  no_log: true
  register: published
"""

RETURN = r"""
version:
  description: Version of the chart, with its content in it. As a tag of the registry a plus sign becomes C(_).
  returned: success
  type: str
  sample: 1.0.0+3f9c02aa
subcharts:
  description: Version of each subchart by name.
  returned: success
  type: dict
archive:
  description: The archive, or where it would be in check mode.
  returned: success
  type: str
sha256:
  description: Its SHA-256, as 64 hex digits.
  returned: success
  type: str
digest:
  description: Digest of the manifest in the registry, empty without a push.
  returned: success
  type: str
  sample: sha256:3f9c02aa81d2c5e0b1f2a3948576ffee00112233445566778899aabbccddeeff
reference:
  description: What C(ai_agent_chart_ref) of the role takes, empty without a push.
  returned: success
  type: str
signed:
  description: Whether it has a signature of the key.
  returned: success
  type: bool
attested:
  description: What is attested of it with the key, by cosign's names of types. Empty where nothing is signed.
  returned: success
  type: list
  elements: str
  sample: [slsaprovenance1, cyclonedx]
"""
