// See CheckOneInput.h.
#include "test/fuzz/CheckOneInput.h"

#include "compiler/ast/AstPrinter.h"
#include "compiler/ast/Format.h"
#include "compiler/ast/Parser.h"
#include "compiler/check/Checker.h"

#include <stdexcept>

namespace gradus {

static constexpr std::string_view otherText = R"(import "model.nn"
export dim D = 4
export const rate = 0.5
export module Block[N](gain = 1) {
  param W: real[N, N] ~ he(N)
  fn call[B](x: real[B, N]) = relu(x @ W) * gain
}
export layer block = Block[D]
export fn half[..S](x: real[..S]) = x / 2
)";

void checkOneInput(std::string_view text) {
  SourceManager sources(/*readsFiles=*/false);
  sources.addFile("other.nn", std::string(otherText));
  const Source &source = sources.addFile("model.nn", std::string(text));
  Diagnostics diagnostics;
  std::unique_ptr<ast::File> file = parse(source, diagnostics);
  if (!diagnostics.hasErrors()) {
    ast::print(*file);
    std::optional<std::string> once = format(source, diagnostics);
    Source formatted("formatted.nn", *once);
    if (format(formatted, diagnostics) != once)
      throw std::logic_error("formatting twice is not formatting once");
  }
  if (auto program = check(*file, {}, sources, diagnostics))
    print(*program);
  diagnostics.render();
}

} // namespace gradus
