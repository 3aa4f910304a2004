# SPDX-License-Identifier: GPL-2.0-or-later
"""A header that has changed makes the model be compiled again, also if ccache has made paths relative."""
import os
import subprocess
import tempfile
import unittest

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", "..", ".."))
BUILD = os.path.join(TOP, "build")
HEADER = "../../tdx/module/tdx_module.h"


class Depends(unittest.TestCase):
    def make(self, out, *more):
        command = ["make", "-C", os.path.join(TOP, "tools/testing/tdx"), f"O={out}", *more, f"{out}/model/plain/module/names.o"]
        # As if the object were new to ccache
        env = {**os.environ, "CCACHE_BASEDIR": TOP, "CCACHE_RECACHE": "1"}
        return subprocess.run(command, check=True, capture_output=True, text=True, env=env).stdout

    def test_header(self):
        os.makedirs(BUILD, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="depends", dir=BUILD) as out:
            self.make(out)
            self.assertNotIn(" -c ", self.make(out, "-n"))
            self.assertIn(" -c ", self.make(out, "-n", "-W", HEADER))


if __name__ == "__main__":
    unittest.main()
