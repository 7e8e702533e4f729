"""`python -m services.decoder`"""

from services.common.launch import launch
from services.decoder.app import build_app
from services.decoder.settings import DecoderSettings

launch("decoder", DecoderSettings, build_app, lambda settings: settings.decoder_port)
