"""Labels, credentials, and the only door out of the studio.

>>> from mofang.trust import Claim, publish, verify
>>> publish(Path("picture.png"), Path("out/picture.png"), Claim("A fox"), studio.folder)
>>> verify(Path("out/picture.png"), studio.folder).ok
True
"""

from mofang.trust.credentials import Claim, Part
from mofang.trust.labels import Label, overlay
from mofang.trust.publish import Receipt, publish
from mofang.trust.verify import Report, verify

__all__ = ["Claim", "Label", "Part", "Receipt", "Report", "overlay", "publish", "verify"]
