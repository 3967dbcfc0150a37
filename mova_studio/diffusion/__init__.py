"""Sampling: the paired schedule, dual guidance, conditioning, and the pipeline that joins them."""

from mova_studio.diffusion.output import MovaPipelineOutput
from mova_studio.diffusion.pipeline import MovaPipeline
from mova_studio.diffusion.scheduler import FlowMatchPairScheduler
from mova_studio.diffusion.state import SamplingSettings, SamplingState

__all__ = ["FlowMatchPairScheduler", "MovaPipeline", "MovaPipelineOutput", "SamplingSettings", "SamplingState"]
