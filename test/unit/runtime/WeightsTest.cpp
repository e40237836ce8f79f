#include "runtime/run/Weights.h"

#include "test/unit/runtime/LinearModel.h"
#include "test/unit/runtime/ScratchFolder.h"

#include <cmath>

using namespace gradus;

namespace {
class WeightFiles : public ScratchFolder {
protected:
  Model model = linearModel();
  Variables values{model, 5};
};
} // namespace

TEST_F(WeightFiles, HoldThePlaceInTheRun) {
  RunPosition position{812, 3, 17, 1.0 / 3, 2176, uint64_t(1) << 63};
  saveWeights(path("c"), model, values, position, {{"y", {"cat", "dög"}}},
              true);
  Safetensors file(path("c"));
  RunPosition read = positionOf(file);
  EXPECT_EQ(read.step, 812);
  EXPECT_EQ(read.epoch, 3);
  EXPECT_EQ(read.batch, 17);
  EXPECT_EQ(read.lossSum, 1.0 / 3);
  EXPECT_EQ(read.lossRows, 2176);
  EXPECT_EQ(read.seed, uint64_t(1) << 63);
  EXPECT_EQ(labelsOf(file), (ClassNames{{"y", {"cat", "dög"}}}));
  EXPECT_EQ(file.metadata().at("format_version"), "1");
  EXPECT_EQ(file.metadata().at("model_hash"), "abc");
  EXPECT_NE(file.find("slot/momentum/w.m"), nullptr);
  EXPECT_EQ(file.find("const/rate"), nullptr);
}

TEST_F(WeightFiles, GoIntoAnotherModelOfTheSameShape) {
  saveWeights(path("w"), model, values, {}, {}, false);
  EXPECT_TRUE(labelsOf(Safetensors(path("w"))).empty());
  Variables other(model, 6);
  other.load(Safetensors(path("w")), false);
  EXPECT_EQ(other.find("param/w")->at(0), values.find("param/w")->at(0));
}

TEST_F(WeightFiles, OfOthersHoldNoPlace) {
  writeSafetensors(path("w"), {{"step", "12x"}}, {});
  EXPECT_EQ(messageOf([&] { positionOf(Safetensors(path("w"))); }),
            "error[E1004]: `w` is not a valid safetensors file: its metadata "
            "hold no number `step`\n"
            "  = help: only files that `train` has written can be used so\n");
  writeSafetensors(path("w"), {{"labels", "{\"y\":1}"}}, {});
  EXPECT_NE(messageOf([&] {
              labelsOf(Safetensors(path("w")));
            }).find("its metadata hold damaged `labels`"),
            std::string::npos);
}

TEST_F(WeightFiles, AreFoundInARunFolder) {
  EXPECT_EQ(weightsFile(folder), path("weights.safetensors"));
  EXPECT_EQ(weightsFile(path("w")), path("w"));
}

TEST_F(WeightFiles, FirstNumberThatIsNotFinite) {
  EXPECT_FALSE(firstNotFinite(values));
  values.find("slot/momentum/w.m")->set(0, INFINITY);
  EXPECT_FALSE(firstNotFinite(values));
  values.find("param/w")->set(2, -INFINITY);
  EXPECT_EQ(firstNotFinite(values)->first, "w");
  EXPECT_EQ(firstNotFinite(values)->second, -INFINITY);
}
