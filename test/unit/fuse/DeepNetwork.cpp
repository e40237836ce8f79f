// Each part of the step is a pattern repeated for every layer.
#include "test/unit/fuse/DeepNetwork.h"

namespace gradus {
namespace {

/// `pattern` for each layer, with `#` as its number and `$` as the next one's.
std::string repeat(int layers, const std::string &pattern,
                   const std::string &separator = "") {
  std::string text;
  for (int layer = 0; layer < layers; ++layer) {
    if (layer > 0)
      text += separator;
    for (char c : pattern)
      if (c == '#')
        text += std::to_string(layer);
      else if (c == '$')
        text += std::to_string(layer + 1);
      else
        text += c;
  }
  return text;
}

} // namespace

std::string deepNetwork(int layers) {
  auto each = [&](const std::string &pattern) {
    return repeat(layers, pattern, ", ");
  };
  std::string last = std::to_string(layers);
  std::string results;
  // Arguments and results come as all w, then all b, then all v.
  for (int i = 0; i < 3 * layers; ++i)
    results += std::string(i < layers || i >= 2 * layers ? "tensor<16x16xf32>"
                                                         : "tensor<16xf32>") +
               " {graph.updates = " + std::to_string(i) + " : i64}, ";
  return "func.func @step(" + each("%w#: tensor<16x16xf32>") + ", " +
         each("%b#: tensor<16xf32>") + ", " + each("%v#: tensor<16x16xf32>") +
         ", %h0: tensor<8x16xf32>) -> (" + results + "tensor<f32>) {\n" +
         repeat(layers, R"(
  %xw# = graph.einsum "bi,ij->bj" %h#, %w# : tensor<8x16xf32>, tensor<16x16xf32>
  %bias# = graph.broadcast %b# along [0] sizes [8] : tensor<16xf32>
  %z# = graph.add %xw#, %bias# : tensor<8x16xf32>
  %h$ = graph.tanh %z# : tensor<8x16xf32>
)") + "  %square = graph.mul %h" +
         last + ", %h" + last + R"( : tensor<8x16xf32>
  %loss = graph.sum %square over [0, 1] : tensor<8x16xf32>
  %rho = graph.constant dense<0.9> : tensor<16x16xf32>
  )" + each("%dw#") +
         ", " + each("%db#") + " = graph.gradient %loss wrt " + each("%w#") +
         ", " + each("%b#") + " : tensor<f32>, " + each("tensor<16x16xf32>") +
         ", " + each("tensor<16xf32>") + "\n" + repeat(layers, R"(
  %kept# = graph.mul %rho, %v# : tensor<16x16xf32>
  %new_v# = graph.add %kept#, %dw# : tensor<16x16xf32>
  %new_w# = graph.sub %w#, %new_v# : tensor<16x16xf32>
  %new_b# = graph.sub %b#, %db# : tensor<16xf32>
)") + "  return " +
         each("%new_w#") + ", " + each("%new_b#") + ", " + each("%new_v#") +
         ", %loss : " + each("tensor<16x16xf32>") + ", " +
         each("tensor<16xf32>") + ", " + each("tensor<16x16xf32>") +
         ", tensor<f32>\n}\n";
}

} // namespace gradus
