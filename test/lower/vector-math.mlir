// RUN: gradus-opt %s -graph-vector-math | FileCheck %s

// CHECK-LABEL: func.func @single
// CHECK-NOT: math.exp
// CHECK-NOT: math.log
// CHECK-NOT: math.tanh
// CHECK-NOT: math.erf
// Large arguments need more than the polynomial.
// CHECK: math.sin
func.func @single(%x: vector<16xf32>) -> vector<16xf32> {
  %0 = math.exp %x : vector<16xf32>
  %1 = math.log %0 : vector<16xf32>
  %2 = math.log1p %1 : vector<16xf32>
  %3 = math.tanh %2 : vector<16xf32>
  %4 = math.erf %3 : vector<16xf32>
  %5 = math.sin %4 : vector<16xf32>
  return %5 : vector<16xf32>
}

// CHECK-LABEL: func.func @double
// CHECK: math.exp
// CHECK: math.log
func.func @double(%x: vector<8xf64>) -> vector<8xf64> {
  %0 = math.exp %x : vector<8xf64>
  %1 = math.log %0 : vector<8xf64>
  return %1 : vector<8xf64>
}
