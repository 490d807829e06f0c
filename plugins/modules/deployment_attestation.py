#!/usr/bin/python
# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

# The module runs in plugins/action/deployment_attestation.py.

from __future__ import annotations

DOCUMENTATION = r"""
module: deployment_attestation
short_description: Attest that an image was deployed well in one environment, or verify it before another one
version_added: 1.0.0
description:
  - With O(state=attested) it takes the report of a deployment that went through preflight, release and connectivity
    test, and signs with cosign an in-toto statement about the image's digest, which the registry keeps beside it.
  - With O(state=verified) it fails unless such a statement of O(environment) is there, signed with the key and young
    enough.
  - The image is named by its digest in either case, because a tag can be moved.
  - The login to the registry is cosign's own (C(cosign login)). No password is an option here.
author:
  - The ai_platform.agent authors (@ai-platform)
extends_documentation_fragment:
  - ai_platform.agent._attributes
attributes:
  check_mode:
    support: full
    details: It asks the registry what is there, and signs nothing.
  diff_mode:
    support: none
  idempotent:
    support: full
    details: The same report is attested once.
options:
  state:
    description: Whether to attest or to verify.
    type: str
    required: true
    choices: [attested, verified]
  image:
    description: The image to verify, C(registry/name@sha256:...), with or without a tag. A report names its own.
    type: str
  manifests:
    description: Manifests of a release, in which the agent's image stands. Instead of O(image).
    type: str
  report:
    description: C(report.json) of M(ai_platform.agent.deployment_report). Required for O(state=attested).
    type: path
  signing_key:
    description:
      - Private key of cosign, whose password is in E(COSIGN_PASSWORD). Nothing is written to a transparency log.
        Required for O(state=attested).
    type: path
  public_key:
    description: The public key that belongs to it. Required for O(state=verified).
    type: path
  environment:
    description: The environment whose deployment counts, with O(state=verified).
    type: str
    default: staging
  max_hours:
    description: How old that deployment may be, with O(state=verified). V(0) is for any age.
    type: int
    default: 720
  plain_http:
    description: Whether the registry is asked without TLS.
    type: bool
    default: false
  cosign_binary:
    description: The cosign program.
    type: path
    default: cosign
"""

EXAMPLES = r"""
- name: Attest what staging proved
  ai_platform.agent.deployment_attestation:
    state: attested
    report: reports/agent-staging/report.json
    signing_key: /etc/keys/cosign.key
  environment:
    COSIGN_PASSWORD: "{{ vault_cosign_password }}"
  no_log: true

- name: Deploy nothing that staging did not prove
  ai_platform.agent.deployment_attestation:
    state: verified
    image: registry.example.com/team/agent@sha256:3f9c02aa81d2c5e0b1f2a3948576ffee00112233445566778899aabbccddeeff
    public_key: keys/staging.pub
    max_hours: 168
"""

RETURN = r"""
image:
  description: The image by its digest, without a tag.
  returned: success
  type: str
  sample: registry.example.com/team/agent@sha256:3f9c02aa81d2c5e0b1f2a3948576ffee00112233445566778899aabbccddeeff
attestation:
  description: What is attested of it.
  returned: success
  type: dict
  contains:
    environment:
      description: Where it was deployed.
      type: str
    ended:
      description: When that deployment ended, in seconds since 1970.
      type: float
    outcome:
      description: One word for it.
      type: str
    reports:
      description: Verdict and counts of each check, by its module.
      type: dict
sentence:
  description: The same in one sentence.
  returned: success
  type: str
"""
