"""`python -m services.gateway`"""

from services.common.launch import launch
from services.gateway.app import build_app
from services.gateway.settings import GatewaySettings

launch("gateway", GatewaySettings, build_app, lambda settings: settings.gateway_port)
