// See GraphFunction.h.
#include "compiler/construct/GraphFunction.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"

#include <algorithm>

using namespace mlir;

namespace gradus::construct {

GraphFunction::GraphFunction(ModuleOp module, StringRef name)
    : opBuilder(module.getContext()) {
  opBuilder.setInsertionPointToEnd(module.getBody());
  function = func::FuncOp::create(opBuilder, opBuilder.getUnknownLoc(), name,
                                  opBuilder.getFunctionType({}, {}));
  opBuilder.setInsertionPointToStart(function.addEntryBlock());
}

Value GraphFunction::argument(const std::string &name, RankedTensorType type) {
  auto [known, isNew] = numbers.try_emplace(name, names.size());
  if (isNew) {
    names.push_back(name);
    // `param.fc1.W` in the IR: a slash cannot stand in the name of a value.
    std::string printed = name;
    std::replace(printed.begin(), printed.end(), '/', '.');
    body().addArgument(type, NameLoc::get(opBuilder.getStringAttr(printed)));
  }
  return body().getArgument(known->second);
}

Value GraphFunction::lookup(const std::string &name) const {
  auto known = numbers.find(name);
  if (known == numbers.end())
    return nullptr;
  return const_cast<func::FuncOp &>(function).getArgument(known->second);
}

void GraphFunction::result(const std::string &name, Value value,
                           StringRef combine) {
  results.push_back({name, value, combine.str()});
}

/// Erases ops and arguments that no result needs.
void GraphFunction::eraseUnused() {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(body())))
    if (isOpTriviallyDead(&op))
      op.erase();
  for (unsigned i = names.size(); i-- > 0;)
    if (body().getArgument(i).use_empty()) {
      body().eraseArgument(i);
      names.erase(names.begin() + i);
    }
  numbers.clear();
  for (unsigned i = 0; i < names.size(); ++i)
    numbers[names[i]] = i;
}

void GraphFunction::finish() {
  SmallVector<Value> values;
  for (const Result &result : results)
    values.push_back(result.value);
  func::ReturnOp::create(opBuilder, function.getLoc(), values);
  eraseUnused();
  function.setFunctionType(opBuilder.getFunctionType(
      body().getArgumentTypes(), ValueRange(values).getTypes()));

  // All at once: a context keeps every list of attributes that it has seen.
  SmallVector<NamedAttrList> ofArguments(names.size());
  for (auto [name, attributes] : llvm::zip_equal(names, ofArguments)) {
    attributes.set(nameAttr, opBuilder.getStringAttr(name));
    if (auto initial = initials.find(name); initial != initials.end())
      attributes.set(initialAttr, opBuilder.getF64FloatAttr(initial->second));
  }
  SmallVector<NamedAttrList> ofResults(results.size());
  for (auto [result, attributes] : llvm::zip_equal(results, ofResults)) {
    attributes.set(nameAttr, opBuilder.getStringAttr(result.name));
    if (auto updated = numbers.find(result.name); updated != numbers.end())
      attributes.set(updatesAttr, opBuilder.getI64IntegerAttr(updated->second));
    if (!result.combine.empty())
      attributes.set(combineAttr, opBuilder.getStringAttr(result.combine));
  }
  auto dictionaries = [&](ArrayRef<NamedAttrList> lists) {
    return llvm::map_to_vector(lists, [&](const NamedAttrList &list) {
      return list.getDictionary(opBuilder.getContext());
    });
  };
  function.setAllArgAttrs(dictionaries(ofArguments));
  function.setAllResultAttrs(dictionaries(ofResults));
}

} // namespace gradus::construct
