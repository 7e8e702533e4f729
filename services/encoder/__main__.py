"""`python -m services.encoder`"""

from services.common.launch import launch
from services.encoder.app import build_app
from services.encoder.settings import EncoderSettings

launch("encoder", EncoderSettings, build_app, lambda settings: settings.encoder_port)
