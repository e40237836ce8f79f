#include "runtime/run/Predict.h"

#include "runtime/data/DataReader.h"
#include "runtime/data/Npz.h"
#include "runtime/run/ResultFiles.h"
#include "test/unit/runtime/LinearModel.h"
#include "test/unit/runtime/ScratchFolder.h"

using namespace gradus;

namespace {

template <int64_t batch>
void predictKernel(void *const *buffers, const Worker *) {
  auto *w = static_cast<const float *>(buffers[0]);
  auto *x = static_cast<const float *>(buffers[1]);
  auto *y = static_cast<float *>(buffers[2]);
  for (int64_t i = 0; i < batch; ++i)
    y[i] = w[0] * x[2 * i] + w[1] * x[2 * i + 1] + w[2];
}
template <int64_t batch> struct PredictOf {
  static constexpr KernelEntry entry = predictKernel<batch>;
};

/// y = w0 x0 + w1 x1 + w2.
CompiledFunction predictFunction(int64_t batch) {
  using enum Element;
  return linear::function("predict",
                          linear::select<PredictOf>(batch, linear::Sizes()),
                          {{"param/w", F32, {3}, Access::Read},
                           {"argument/x", F32, {batch, 2}, Access::Read},
                           {"result/y", F32, {batch}, Access::Write}});
}

class Predicting : public ScratchFolder {
protected:
  Predicting() {
    model.variables[0].initial = {Initial::Values, 0, 0, {3, -2, 1}};
    values.emplace(model, 0);
  }
  std::vector<NamedTensor> named(std::string name, Tensor value) const {
    std::vector<NamedTensor> out;
    out.push_back({std::move(name), std::move(value)});
    return out;
  }
  Model model = linearModel();
  std::optional<Variables> values;
};

} // namespace

TEST_F(Predicting, CallsAFunctionOnArguments) {
  Tensor x(Element::F32, {2, 2});
  x.set(2, 1);
  auto results = callFunction(predictFunction(2), *values,
                              named("x", std::move(x)), {"y"});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].name, "y");
  EXPECT_EQ(results[0].value.at(0), 1);
  EXPECT_EQ(results[0].value.at(1), 4);
}

TEST_F(Predicting, ArgumentsAreChecked) {
  EXPECT_EQ(
      messageOf([&] { callFunction(predictFunction(2), *values, {}, {"y"}); }),
      "error[E1014]: `predict` needs a value for `x`\n"
      "  = help: give it as `x=@x.npy`\n");
  EXPECT_EQ(messageOf([&] {
              callFunction(predictFunction(2), *values,
                           named("x", Tensor(Element::F32, {2, 3})), {"y"});
            }),
            "error[E1009]: `x` is f32[2, 2], but the value given is f32[2, "
            "3]\n");
  CompiledFunction scalar;
  scalar.name = "f";
  scalar.buffers = {{"argument/s", Element::F32, {}, Access::Read}};
  EXPECT_NE(messageOf([&] {
              callFunction(scalar, *values, {}, {});
            }).find("`s=@s.npy` or `s=0.5`"),
            std::string::npos);
  EXPECT_THROW(callFunction(predictFunction(1), *values,
                            named("x", Tensor(Element::F32, {1, 2})), {"z"}),
               std::logic_error);
}

TEST_F(Predicting, RunsOverASplitInBatches) {
  write("line.csv", lineCsv(50));
  Dataset rows =
      DataReader(lineData({{"test", {0, 50}}}), {"", folder}).read("test");
  std::vector<int64_t> compiled;
  auto compile = [&](int64_t batch) {
    compiled.push_back(batch);
    return predictFunction(batch);
  };
  auto results = predictSplit(compile, *values, rows, 20, {"y"});
  EXPECT_EQ(compiled, (std::vector<int64_t>{20, 10}));
  ASSERT_EQ(results[0].value.shape(), (std::vector<int64_t>{50}));
  for (int64_t i = 0; i < 50; ++i)
    EXPECT_NEAR(results[0].value.at(i), rows.values[1].at(i), 1e-5);
  EXPECT_THROW(predictSplit(compile, *values, rows, 20, {"z"}),
               std::logic_error);
}

TEST_F(Predicting, ArgumentsAreNumbersOrFiles) {
  NpyArray real = parseArgument("s", "0.5");
  EXPECT_EQ(real.text(), "float64");
  EXPECT_EQ(real.real(0), 0.5);
  EXPECT_EQ(parseArgument("s", "-3").whole(0), -3);
  EXPECT_EQ(parseArgument("s", "-3").text(), "int64");
  EXPECT_EQ(parseArgument("s", "true").text(), "bool");
  Tensor tensor(Element::F32, {2});
  tensor.set(1, 4);
  writeNpy(path("x.npy"), tensor);
  writeNpz(path("x.npz"), {{"x", npyBytes(tensor)}});
  EXPECT_EQ(parseArgument("x", "@" + path("x.npy")).real(1), 4);
  EXPECT_EQ(parseArgument("x", "@" + path("x.npz")).real(1), 4);
  EXPECT_EQ(messageOf([&] { parseArgument("x", "x.npy"); }),
            "error[E1017]: `x.npy` is neither a number nor `@FILE`\n"
            "  = help: write `x=0.5`, or `x=@x.npy` for an array in a file\n");
}

TEST_F(Predicting, WholeNumbersAreRealArgumentsToo) {
  ValueType real{"s", "real", Element::F32, 0};
  EXPECT_EQ(toTensor(parseArgument("s", "3"), real).at(0), 3);
}

TEST_F(Predicting, ResultsGoIntoFilesByTheirEnding) {
  auto two = named("y", Tensor::scalar(Element::I32, 7));
  two[0].isIndex = true;
  writeResults(path("y.npy"), two);
  EXPECT_EQ(readNpy(path("y.npy")).text(), "int64");
  writeResults(path("y.csv"), two);
  EXPECT_EQ(contents("y.csv"), "y\n7\n");
  two.push_back({"z", Tensor(Element::F32, {2})});
  writeResults(path("y.npz"), two);
  EXPECT_EQ(NpzFile(path("y.npz")).names(),
            (std::vector<std::string>{"y", "z"}));
  EXPECT_EQ(messageOf([&] { writeResults(path("y.npy"), two); }),
            "error[E1019]: `y.npy` can hold one value, but there are 2\n"
            "  = help: write them to an `.npz` file\n");
  EXPECT_EQ(messageOf([&] { writeResults(path("y.txt"), two); }),
            "error[E1018]: `y.txt` is not a `.npy`, `.npz` or `.csv` file\n"
            "  = help: the end of its name says how results are written\n");
}
