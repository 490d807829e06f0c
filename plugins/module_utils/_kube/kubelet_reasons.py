"""The kubelet's words for why a container waits, by what they mean."""

# Copyright (c) 2026, the ai_platform.agent authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt) SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

# The image cannot be had: pkg/kubelet/images/types.go. RegistryUnavailable comes from Kubernetes before 1.31.
IMAGE: t.Final = frozenset(
    {
        "ErrImageInspect",
        "ErrImageNeverPull",
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "RegistryUnavailable",
    }
)
# The container's description cannot be satisfied: pkg/kubelet/kuberuntime/kuberuntime_container.go.
CONFIGURATION: t.Final = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})

__all__ = ("CONFIGURATION", "IMAGE")
