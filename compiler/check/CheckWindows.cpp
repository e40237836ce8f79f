// Windows that slide over the last axes: convolutions and pooling.
#include "compiler/check/Body.h"

namespace gradus::typed {

// `stride = 2`, `stride = (2, 1)`: a whole number for each of `axes` axes, the
// same for all if one is given, at least `least`.
std::optional<std::vector<Dim>>
Body::perAxis(const CallSite &site, const CallArgument *given,
              std::string_view name, size_t axes, int64_t least,
              const std::vector<Dim> &byDefault) {
  if (!given)
    return byDefault;
  if (!given->tree) {
    state.diagnostics.report(diag::NotConstant, given->range,
                             shortened(given->range.text()));
    return std::nullopt;
  }
  std::vector<const ast::Expr *> trees;
  if (auto *tuple = given->tree->as<ast::Tuple>())
    for (const auto &element : tuple->elements)
      trees.push_back(element.get());
  else
    trees.assign(axes, given->tree);
  if (trees.size() != axes) {
    state.diagnostics.report(diag::WindowSetting, given->range, name,
                             site.name(),
                             axes == 1 ? std::string("one whole number")
                                       : fmt::format("one or {} numbers", axes),
                             count(trees.size(), "number"));
    return std::nullopt;
  }
  std::vector<Dim> numbers;
  for (const ast::Expr *tree : trees) {
    auto number = dim(*tree);
    if (!number)
      return std::nullopt;
    if (!require(Dim(least), Relation::LessEqual, *number, tree->range)) {
      state.diagnostics.report(diag::WindowSetting, tree->range, name,
                               site.name(), fmt::format("at least {}", least),
                               number->str());
      return std::nullopt;
    }
    numbers.push_back(std::move(*number));
  }
  return numbers;
}

// The windows of a call over the last axes of `operand`, whose sizes are known.
std::optional<std::vector<Window>>
Body::windows(const CallSite &site, const Expr *operand,
              const std::vector<Dim> &sizes,
              const std::vector<CallArgument *> &settings,
              const std::vector<Dim> &strides) {
  size_t axes = sizes.size();
  std::vector<Dim> zeros(axes, Dim(0)), ones(axes, Dim(1));
  auto stride = perAxis(site, settings[0], "stride", axes, 1, strides);
  auto pad = perAxis(site, settings[1], "pad", axes, 0, zeros);
  auto dilation = settings.size() > 2
                      ? perAxis(site, settings[2], "dilation", axes, 1, ones)
                      : std::optional(ones);
  if (!stride || !pad || !dilation)
    return std::nullopt;
  std::vector<Window> windows;
  for (size_t i = 0; i < axes; ++i)
    windows.push_back({sizes[i], (*stride)[i], (*pad)[i], (*dilation)[i]});
  return windows;
}

// How many positions the window has on an axis; none after an error.
std::optional<Dim> Body::positions(const CallSite &site, const Window &window,
                                   const Expr *operand, size_t axis) {
  const Dim &extent = operand->type.shape[axis].dim;
  Dim padded = extent + Dim(2) * window.pad;
  if (!require(window.span(), Relation::LessEqual, padded, site.range)) {
    state.diagnostics
        .report(diag::WindowTooLarge, site.range, site.name(),
                window.span().str(), padded.str())
        .label(operand->range, operand->type.str());
    return std::nullopt;
  }
  return Dim::floorDivide(padded - window.span(), window.stride) + Dim(1);
}

// Whether the last `axes` entries are axes, no `..S`.
bool Body::hasLastAxes(const CallSite &site, const Expr *operand, size_t axes,
                       std::string_view what) {
  const Shape &shape = operand->type.shape;
  bool has = shape.size() >= axes;
  for (size_t i = 0; has && i < axes; ++i)
    has = !shape[shape.size() - 1 - i].isPack();
  if (!has)
    state.diagnostics.report(diag::OperandRank, operand->range, site.name(),
                             what, operand->type.str());
  return has;
}

const Expr *Body::convolve(Builtin builtin, CallSite &site,
                           std::string_view parameters) {
  std::vector<CallArgument *> arguments;
  if (!takeArguments(site, parameters, arguments))
    return poison(site.range);
  const Expr *x = strong(valueOf(*arguments[0]));
  const Expr *w = strong(valueOf(*arguments[1]));
  size_t axes = builtin == Builtin::Conv1d ? 1 : 2;
  std::string name = site.name();
  if (x->type.isPoison() || w->type.isPoison() ||
      !isNumeric(name, site.calleeRange, x, /*needsReal=*/true) ||
      !isNumeric(name, site.calleeRange, w, /*needsReal=*/true) ||
      !sameElement(name, site.calleeRange, x, w) ||
      !hasLastAxes(site, x, axes + 1,
                   axes == 1 ? "channels and one axis"
                             : "channels, height and width") ||
      !hasLastAxes(site, w, axes + 2,
                   axes == 1 ? "weights real[Out, In, K]"
                             : "weights real[Out, In, K, L]"))
    return poison(site.range);
  if (w->type.shape.size() != axes + 2) {
    state.diagnostics.report(diag::OperandRank, w->range, name,
                             axes == 1 ? "weights real[Out, In, K]"
                                       : "weights real[Out, In, K, L]",
                             w->type.str());
    return poison(site.range);
  }
  std::vector<Dim> sizes;
  for (size_t i = 0; i < axes; ++i)
    sizes.push_back(w->type.shape[2 + i].dim);
  std::vector<Dim> ones(axes, Dim(1));
  auto windows = this->windows(
      site, x, sizes, {arguments[2], arguments[3], arguments[4]}, ones);
  auto groups = perAxis(site, arguments[5], "groups", 1, 1, {Dim(1)});
  if (!windows || !groups)
    return poison(site.range);

  const Dim &group = groups->front();
  size_t channelAxis = x->type.shape.size() - axes - 1;
  const Dim &channels = x->type.shape[channelAxis].dim;
  bool isTransposed = builtin == Builtin::ConvTranspose2d;
  const Dim &first = w->type.shape[0].dim, &second = w->type.shape[1].dim;
  // w is [Out, In / groups, ...], or transposed [In, Out / groups, ...].
  Dim in = isTransposed ? first : group * second;
  Dim out = isTransposed ? group * second : first;
  if (!require(channels, Relation::Equal, in, site.range)) {
    state.diagnostics
        .report(diag::ChannelCount, site.calleeRange, name, in.str(),
                channels.str())
        .label(x->range, x->type.str())
        .label(w->range, w->type.str());
    return poison(site.range);
  }
  if (!require(Dim::remainder(first, group), Relation::Equal, Dim(0),
               site.range)) {
    state.diagnostics.report(diag::WindowSetting, arguments[5]->range, "groups",
                             name, fmt::format("a divisor of {}", first.str()),
                             group.str());
    return poison(site.range);
  }
  Shape shape(x->type.shape.begin(), x->type.shape.begin() + channelAxis);
  shape.push_back(out);
  for (size_t i = 0; i < axes; ++i) {
    const Window &window = (*windows)[i];
    size_t axis = channelAxis + 1 + i;
    const Dim &extent = x->type.shape[axis].dim;
    if (isTransposed) {
      Dim size = (extent - Dim(1)) * window.stride + window.span() -
                 Dim(2) * window.pad;
      if (!require(Dim(1), Relation::LessEqual, size, site.range)) {
        state.diagnostics.report(diag::WindowSetting, site.range, "pad", name,
                                 "small enough to leave a result",
                                 window.pad.str());
        return poison(site.range);
      }
      shape.push_back(size);
    } else {
      auto count = positions(site, window, x, axis);
      if (!count)
        return poison(site.range);
      shape.push_back(*count);
    }
  }
  return make(x->type.withShape(std::move(shape)), site.range,
              Convolve{builtin, x, w, std::move(*windows), group});
}

const Expr *Body::pool(Builtin builtin, CallSite &site,
                       std::string_view parameters) {
  std::vector<CallArgument *> arguments;
  if (!takeArguments(site, parameters, arguments))
    return poison(site.range);
  const Expr *x = strong(valueOf(*arguments[0]));
  constexpr size_t axes = 2;
  std::string name = site.name();
  if (x->type.isPoison() ||
      !isNumeric(name, site.calleeRange, x, /*needsReal=*/true) ||
      !hasLastAxes(site, x, axes, "height and width"))
    return poison(site.range);
  auto sizes = perAxis(site, arguments[1], "size", axes, 1, {});
  if (!sizes)
    return poison(site.range);
  auto windows =
      this->windows(site, x, *sizes, {arguments[2], arguments[3]}, *sizes);
  if (!windows)
    return poison(site.range);
  Shape shape(x->type.shape.begin(), x->type.shape.end() - axes);
  for (size_t i = 0; i < axes; ++i) {
    const Window &window = (*windows)[i];
    if (!require(Dim(2) * window.pad, Relation::LessEqual, window.size,
                 site.range)) {
      state.diagnostics.report(
          diag::WindowSetting, site.range, "pad", name,
          fmt::format("at most half of the size, {}", window.size.str()),
          window.pad.str());
      return poison(site.range);
    }
    auto count = positions(site, window, x, x->type.shape.size() - axes + i);
    if (!count)
      return poison(site.range);
    shape.push_back(*count);
  }
  return make(x->type.withShape(std::move(shape)), site.range,
              Pool{builtin, x, std::move(*windows)});
}

} // namespace gradus::typed
