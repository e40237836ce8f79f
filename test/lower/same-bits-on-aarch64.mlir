// Kernels scheduled for NEON give on AArch64, bit for bit, what those scheduled
// for AVX-512 give on x86: tiles and element-wise code do not change sums with
// the width of a vector, reductions have the same lanes everywhere.

// REQUIRES: aarch64-emulator
// RUN: gradus-opt %s -graph-scheduled-loops=vectors=neon -graph-loops-to-llvm \
// RUN:   | mlir-translate --mlir-to-llvmir \
// RUN:   | llc -mtriple=aarch64-linux-gnu -mcpu=neoverse-n1 -fp-contract=off \
// RUN:       -filetype=obj -o %t.arm.o
// RUN: aarch64-linux-gnu-gcc -static %S/Inputs/same-bits.c %t.arm.o -lm -o %t.arm
// RUN: qemu-aarch64 %t.arm > %t.arm.txt
// RUN: gradus-opt %s -graph-scheduled-loops=vectors=avx512 -graph-loops-to-llvm \
// RUN:   | mlir-translate --mlir-to-llvmir \
// RUN:   | llc -fp-contract=off -relocation-model=pic -filetype=obj -o %t.x86.o
// RUN: clang %S/Inputs/same-bits.c %t.x86.o -lm -o %t.x86
// RUN: %t.x86 > %t.x86.txt
// RUN: diff %t.x86.txt %t.arm.txt
// RUN: FileCheck %s --input-file %t.arm.txt
// CHECK: dense 0 0x
// CHECK: dense 1080 0x
// CHECK-NOT: behind
// CHECK: activations 314
// CHECK-NOT: behind

#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>
#column = affine_map<(i, j) -> (j)>

func.func @dense(%a: tensor<23x50xf32>, %b: tensor<50x47xf32>,
                 %bias: tensor<47xf32>) -> tensor<23x47xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<23x47xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<23x47xf32>)
      -> tensor<23x47xf32>
  %c = linalg.matmul ins(%a, %b : tensor<23x50xf32>, tensor<50x47xf32>)
      outs(%f : tensor<23x47xf32>) -> tensor<23x47xf32>
  %y = linalg.generic {indexing_maps = [#id, #column, #id],
                       iterator_types = ["parallel", "parallel"]}
      ins(%c, %bias : tensor<23x47xf32>, tensor<47xf32>)
      outs(%e : tensor<23x47xf32>) {
    ^bb0(%p: f32, %q: f32, %o: f32):
      %0 = arith.addf %p, %q : f32
      %1 = arith.maximumf %0, %z : f32
      linalg.yield %1 : f32
  } -> tensor<23x47xf32>
  return %y : tensor<23x47xf32>
}

func.func @weights(%x: tensor<37x19xf32>, %dy: tensor<37x30xf32>)
    -> tensor<19x30xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<19x30xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<19x30xf32>)
      -> tensor<19x30xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j, b) -> (b, i)>,
                                        affine_map<(i, j, b) -> (b, j)>,
                                        affine_map<(i, j, b) -> (i, j)>],
                       iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %dy : tensor<37x19xf32>, tensor<37x30xf32>)
      outs(%f : tensor<19x30xf32>) {
    ^bb0(%p: f32, %q: f32, %o: f32):
      %0 = arith.mulf %p, %q : f32
      %1 = arith.addf %o, %0 : f32
      linalg.yield %1 : f32
  } -> tensor<19x30xf32>
  return %y : tensor<19x30xf32>
}

func.func @softmax(%x: tensor<9x11xf32>) -> tensor<9x11xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<9xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<9xf32>) -> tensor<9xf32>
  %s = linalg.generic {indexing_maps = [#id, #row],
                       iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<9x11xf32>) outs(%f : tensor<9xf32>) {
    ^bb0(%p: f32, %o: f32):
      %0 = math.exp %p : f32
      %1 = arith.addf %o, %0 : f32
      linalg.yield %1 : f32
  } -> tensor<9xf32>
  %r = tensor.empty() : tensor<9x11xf32>
  %y = linalg.generic {indexing_maps = [#id, #row, #id],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x, %s : tensor<9x11xf32>, tensor<9xf32>)
      outs(%r : tensor<9x11xf32>) {
    ^bb0(%p: f32, %q: f32, %o: f32):
      %0 = math.exp %p : f32
      %1 = arith.divf %0, %q : f32
      linalg.yield %1 : f32
  } -> tensor<9x11xf32>
  return %y : tensor<9x11xf32>
}

func.func @activations(%x: tensor<7x45xf32>) -> tensor<7x45xf32> {
  %e = tensor.empty() : tensor<7x45xf32>
  %y = linalg.generic {indexing_maps = [#id, #id],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<7x45xf32>) outs(%e : tensor<7x45xf32>) {
    ^bb0(%p: f32, %o: f32):
      %0 = math.tanh %p : f32
      %1 = math.erf %p : f32
      %2 = math.absf %p : f32
      %3 = math.log %2 : f32
      %4 = arith.mulf %0, %1 : f32
      %5 = arith.addf %3, %4 : f32
      %6 = math.sqrt %2 : f32
      %7 = arith.addf %5, %6 : f32
      linalg.yield %7 : f32
  } -> tensor<7x45xf32>
  return %y : tensor<7x45xf32>
}
