#!/usr/bin/python
# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

# The module runs in plugins/action/vaulted_password.py.

from __future__ import annotations

DOCUMENTATION = r"""
module: vaulted_password
short_description: Put a new random password into an encrypted file of variables
version_added: 1.0.0
description:
  - Makes a password of 40 letters and digits, and gives it to the one variable of the file that has the current one.
  - A file that C(ansible-vault encrypt) encrypted, and a value that C(ansible-vault encrypt_string) did, are encrypted
    again with the same vault password of this run and the same vault id. A value in plain text is refused.
  - The variable may be a value of a dictionary (C(vault.postgresql.password)), also of one in a dictionary.
  - The rest of the file stays as it was, with its line breaks, its owner and its mode. The file is replaced in one
    step, so whoever is interrupted leaves the old one or the new one.
  - Set C(no_log) on the task, for the new password is in its result.
author:
  - The ai_platform.agent authors (@ai-platform)
extends_documentation_fragment:
  - ai_platform.agent._attributes
attributes:
  check_mode:
    support: full
    details: Writes nothing, and says whether it could.
  diff_mode:
    support: none
  idempotent:
    support: none
    details: Each run makes another password.
options:
  current:
    description: The password that the variable has now, by which it is found.
    type: str
    required: true
  file:
    description: The file of variables on the controller; a relative path is one from where the run was started.
    type: path
    required: true
  variable:
    description: Where several variables of the file have the current password, the one whose name ends like this.
    type: str
    default: ai_agent_postgresql_password
"""

EXAMPLES = r"""
- name: Put a new password into the vault
  ai_platform.agent.vaulted_password:
    current: "{{ ai_agent_postgresql_password }}"
    file: inventories/prod/group_vars/all/vault.yml
  register: new
  no_log: true
"""

RETURN = r"""
password:
  description: The new password; in check mode one that stands nowhere.
  returned: success
  type: str
variable:
  description: The variable that has it now, that of a dictionary as C(outer.inner).
  returned: success
  type: str
  sample: vault_ai_agent_postgresql_password
vault_id:
  description: The vault id that stands in the file, empty where none does.
  returned: success
  type: str
  sample: prod
path:
  description: The file.
  returned: success
  type: str
error_id:
  description: Id of what stood in the way.
  returned: failure
  type: str
  sample: rotation-vault
"""
