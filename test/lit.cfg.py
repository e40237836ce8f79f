# The test suite: .mlir, .nn and .test files hold their RUN lines.
# The GoogleTest programs have a suite of their own in unit/.
import os
import shutil
import sys

import lit.formats

config.name = "gradus"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".nn", ".test"]
config.excludes = ["Inputs"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.gradus_build, "test")

path = [os.path.join(config.gradus_build, "bin"), config.llvm_tools]
config.environment["PATH"] = os.pathsep.join(path + [os.environ["PATH"]])
config.environment["NO_COLOR"] = "1"
# No test finds what another has compiled; those of the cache have one of their own.
config.environment["GRADUS_CACHE"] = ""
if lit_config.params.get("long"):
    config.available_features.add("long")
config.substitutions.append(("%examples", config.gradus_source + "/examples"))
config.substitutions.append(("%python", sys.executable))
config.substitutions.append(("%source", config.gradus_source))
config.substitutions.append(("%build", config.gradus_build))
if os.path.exists("/usr/lib/bible.data") and shutil.which("bible"):
    config.available_features.add("bible-kjv")
if shutil.which("qemu-aarch64") and shutil.which("aarch64-linux-gnu-gcc"):
    config.available_features.add("aarch64-emulator")
